"""The nodes about schedulers, samplers and noise levels, as people call and wire them."""

import pytest
import torch

from engine import Catalog, Code, Graph, GraphError, PatchbayError, Paths, Settings, plan
from nodes import (
    cut_sigmas,
    edit_sigmas,
    empty_latent,
    encode_text,
    join_sigmas,
    load_model,
    make_sigmas,
    plot_sigmas,
    sample,
    sample_steps,
    sampler,
    scheduler,
    show_scheduler,
    sigma_values,
)
from nodes.pocket import MODEL
from nodes.types import Scheduler

FLOW = Scheduler("FlowMatchEuler", "x", {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0})


@pytest.fixture(scope="module")
def parts():
    return load_model(model=MODEL)


@pytest.fixture(scope="module")
def run(parts):
    prompt = encode_text(parts.text_encoder, "a red circle on a blue background")

    def call(node=sample, **options):
        latent = options.pop("latent", None) or empty_latent(width=64, height=64).latent
        settings = {"steps": 4, "guidance": 1.0, "seed": 3, **options}
        return node(parts.model, prompt, latent, **settings).samples

    return call


@pytest.fixture(scope="module")
def exact(run):
    return run(scheduler="DPM++ 2M Karras", steps=32)


@pytest.mark.parametrize("name", ["euler", "dpmpp_2m", "lms", "res_multistep", "heun"])
def test_deterministic_samplers_agree_with_many_steps(run, parts, exact, name):
    karras = scheduler(parts.scheduler, name="Euler", sigmas="karras")
    ours = run(scheduler=sampler(karras, name=name), steps=16)
    assert (ours - exact).norm() / exact.norm() < (0.25 if name == "euler" else 0.1)


def test_euler_is_euler_on_a_real_model(run, parts):
    ours = run(scheduler=sampler(parts.scheduler, name="euler"), steps=8)
    assert torch.allclose(ours, run(scheduler="Euler", steps=8), atol=1e-3)


def test_a_preset_is_its_class_with_options(run, parts):
    chosen = scheduler(parts.scheduler, name="DPMSolverMultistep", sigmas="karras")
    assert torch.equal(run(scheduler="DPM++ 2M Karras"), run(scheduler=chosen))


def test_a_sampler_preset_is_that_sampler(run, parts):
    assert torch.equal(run(scheduler="DPM++ SDE"), run(scheduler=sampler(parts.scheduler, name="dpmpp_sde")))


def test_settings_reach_the_sampler(run, parts):
    still = run(scheduler=sampler(parts.scheduler, name="euler_ancestral", eta=0.0))
    assert torch.allclose(still, run(scheduler=sampler(parts.scheduler, name="euler")), atol=1e-5)
    assert not torch.allclose(still, run(scheduler=sampler(parts.scheduler, name="euler_ancestral")), atol=0.1)
    with pytest.raises(PatchbayError, match="dpmpp_2m has no eta"):
        sampler(parts.scheduler, name="dpmpp_2m", eta=0.5)


def test_the_scheduler_s_own_sigmas_change_nothing(run, parts):
    own = make_sigmas(parts.scheduler, curve="from the scheduler", steps=6)
    given = run(scheduler=sampler(parts.scheduler, own, name="dpmpp_2m"), steps=6)
    assert torch.equal(given, run(scheduler=sampler(parts.scheduler, name="dpmpp_2m"), steps=6))
    with pytest.raises(PatchbayError, match="make 6 steps"):
        run(scheduler=sampler(parts.scheduler, own), steps=4)


def test_picture_to_picture_works_with_samplers(run, parts):
    picture = sample_steps(
        parts.model, encode_text(parts.text_encoder, "a red circle"), empty_latent(width=64, height=64).latent
    )
    chosen = sampler(parts.scheduler, name="euler")
    ours = run(latent=picture, scheduler=chosen, steps=6, denoise=0.5)
    assert torch.allclose(ours, run(latent=picture, scheduler="Euler", steps=6, denoise=0.5), atol=1e-3)


def test_curves_cuts_and_joins_are_nodes(parts):
    whole = make_sigmas(parts.scheduler, curve="karras", steps=10)
    assert len(whole.values) == 11
    upper, lower = cut_sigmas(whole, last=4), cut_sigmas(whole, first=4)
    assert join_sigmas(upper, lower) == whole
    assert cut_sigmas(whole, denoise=0.5).values == whole.values[5:]
    assert edit_sigmas(edit_sigmas(whole, reverse=True), reverse=True) == whole
    assert edit_sigmas(whole, scale=2.0).values[0] == pytest.approx(2 * whole.values[0])
    assert edit_sigmas(whole, shift=2.0).values[0] == pytest.approx(2 * whole.values[0])
    assert sigma_values(parts.scheduler, values=[5.0, 1.0, 0.0]).values == (5.0, 1.0, 0.0)


def test_levels_of_a_flow_model_end_at_one():
    flow = make_sigmas(FLOW, curve="simple", steps=4)
    assert flow.flow
    assert flow.values[0] == 1.0
    assert flow.values[2] == pytest.approx(3 * 0.5 / (1 + 2 * 0.5))
    assert edit_sigmas(flow, shift=2.0).values[0] == pytest.approx(1.0)
    own = make_sigmas(FLOW, curve="from the scheduler", steps=4)
    assert own.values[0] == 1.0


def test_the_scheduler_s_own_levels_have_no_other_bounds(parts):
    with pytest.raises(PatchbayError, match="no other bounds"):
        make_sigmas(parts.scheduler, curve="from the scheduler", low=0.1)
    assert make_sigmas(parts.scheduler, low=0.1, high=5.0).values[:1] == pytest.approx((5.0,))


def test_levels_are_drawn_and_written_down(parts):
    curves = [make_sigmas(parts.scheduler, curve=curve, steps=5) for curve in ("karras", "simple")]
    shown = plot_sigmas(curves, labels=["karras", "simple"], logarithmic=True)
    assert shown.plot.pixels.std() > 0.05
    assert shown.text.splitlines()[1].startswith("simple: ")
    assert plot_sigmas(curves).text.startswith("sigmas: ")
    with pytest.raises(PatchbayError, match="1 labels for 2 lists"):
        plot_sigmas(curves, labels=["x"])


def test_a_scheduler_says_what_it_is_and_what_it_inherits(parts):
    chosen = scheduler(parts.scheduler, name="DPM++ 2M Karras", options={"solver_order": 3})
    found = show_scheduler(chosen, steps=5)
    lines = found.text.splitlines()
    assert lines[0].startswith("DPM++ 2M Karras: DPMSolverMultistepScheduler. `DPMSolverMultistepScheduler` is a fast")
    assert any(line.startswith("solver_order = 3 (set here) The DPMSolver order") for line in lines)
    assert any(line.startswith("use_karras_sigmas = True (the name)") for line in lines)
    assert any(line.startswith("prediction_type = 'v_prediction' (the model)") for line in lines)
    assert any(line.startswith("final_sigmas_type = 'zero' (Diffusers' default)") for line in lines)
    assert lines[-5].startswith("1: timestep 999  sigma ")
    assert found.plot.pixels.shape[-2] == 640


@pytest.mark.parametrize("name", ["DDIM", "Heun", "LCM", "DPM++ SDE", "PNDM"])
def test_every_scheduler_can_be_shown(parts, name):
    found = show_scheduler(scheduler(parts.scheduler, name=name), steps=4)
    assert "4 steps, " in found.text
    assert ("distilled" in found.text) == (name == "LCM")


def test_a_sampler_and_a_flow_scheduler_can_be_shown(parts):
    own = make_sigmas(parts.scheduler, steps=3)
    found = show_scheduler(sampler(parts.scheduler, own, name="dpmpp_sde", eta=0.5), steps=3)
    assert found.text.startswith("dpmpp_sde: a sampler with eta 0.5, on the noise levels of Euler.")
    assert "timestep 1000  sigma 1.0000" in show_scheduler(FLOW, steps=3).text


# what the plan refuses


def problems(**nodes):
    document = {"version": 1, "nodes": {"load": ("LoadModel", {"model": "pocket"}), **nodes}}
    document["nodes"] = {name: {"type": kind, "inputs": inputs} for name, (kind, inputs) in document["nodes"].items()}
    document["interface"] = {"outputs": {"x": f"{list(nodes)[-1]}.{'latent' if 'sample' in nodes else 'scheduler'}"}}
    import json

    try:
        plan(Graph.parse(json.dumps(document)), Catalog.load(), Paths(), Settings())
    except GraphError as error:
        return [(problem.code, problem.at, problem.what, problem.fix) for problem in error.problems]
    return []


def link(target):
    return {"link": target}


def sampled(chosen):
    encode = ("EncodeText", {"text_encoder": link("load.text_encoder"), "text": "x"})
    ports = {"model": link("load.model"), "positive": link("prompt.conditioning"), "latent": link("size.latent")}
    return {"prompt": encode, "size": ("EmptyLatent", {}), "sample": ("Sample", {**ports, "scheduler": chosen})}


def test_the_plan_refuses_a_scheduler_that_cannot_be_right():
    assert problems(**sampled("DDIM")) == []
    ((code, at, what, fix),) = problems(**sampled("FlowMatchEuler"))
    assert (code, at) == (Code.BAD_VALUE, "sample.scheduler")
    assert what.startswith("FlowMatchEuler is for models that predict flow, and this one predicts velocity (v)")
    assert fix == "Use Euler."


def test_the_plan_checks_a_scheduler_s_options():
    chosen = {"scheduler": link("load.scheduler"), "name": "DPM++ 2M", "options": {"solver_order": 3}}
    assert problems(own=("Scheduler", chosen)) == []
    ((_, at, what, _),) = problems(own=("Scheduler", {**chosen, "options": {"solver_ordre": 3}}))
    assert at == "own.options.solver_ordre"
    assert 'Did you mean "solver_order"?' in what
    ((_, at, _, _),) = problems(own=("Scheduler", {**chosen, "name": "EDMEuler", "options": {}}))
    assert at == "own.name"
    assert problems(own=("Scheduler", {**chosen, "name": "PNDM", "options": {"prediction_type": "epsilon"}})) == []


def test_what_a_scheduler_is_told_to_predict_goes_on_with_it():
    first = ("Scheduler", {"scheduler": link("load.scheduler"), "options": {"prediction_type": "sample"}})
    second = ("Scheduler", {"scheduler": link("first.scheduler"), "name": "PNDM"})
    ((_, at, what, _),) = problems(first=first, second=second)
    assert at == "second.name"
    assert what.endswith("this one predicts the picture: it would run and give a wrong picture.")


def test_the_plan_checks_a_sampler_s_settings():
    ports = {"scheduler": link("load.scheduler"), "name": "dpmpp_2m"}
    assert problems(own=("Sampler", ports), last=("Scheduler", {"scheduler": link("own.sampler")})) == []
    found = problems(own=("Sampler", {**ports, "eta": 0.5}), last=("Scheduler", {"scheduler": link("own.sampler")}))
    assert [at for _, at, _, _ in found] == ["own.eta"]


def test_a_setting_that_a_guider_does_not_have_is_refused_before_anything_runs():
    from nodes.sampling import check_guider

    assert check_guider({"name": "APG", "eta": 0.5, "momentum": None}, {}) == {}
    with pytest.raises(PatchbayError, match="CFG has no eta"):
        check_guider({"eta": 0.5}, {})
