"""Guidance away from a weakened model: bit for bit the stock classes that have it, and nothing left behind."""

import functools
import shutil
import threading
from contextlib import ExitStack
from dataclasses import replace

import diffusers
import pytest
import torch
from diffusers.hooks.smoothed_energy_guidance_utils import (
    SmoothedEnergyGuidanceConfig,
    _apply_smoothed_energy_guidance_hook,
)
from safetensors.torch import load_file, save_file

from engine.errors import Code, PatchbayError
from nodes.diffusion.changes import weak_layers
from nodes.diffusion.control.controls import with_control
from nodes.diffusion.disk.source import survey
from nodes.diffusion.memory.patching import twin
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.sampling import denoising, regions
from nodes.diffusion.stages import stock
from nodes.diffusion.text import prompts
from nodes.types import Area, BlankLatent, Control, Denoiser, Guider, Image, Scheduler, TextEncoder, Weakening
from tests.nodes.diffusion.tiny import dits, exact
from tests.nodes.diffusion.tiny.nets import build_net
from tests.nodes.diffusion.tiny.table import TINY, disturb

SD, SD3, FLUX = "StableDiffusionPipeline", "StableDiffusion3Pipeline", "FluxPipeline"
PAG = {
    SD: "StableDiffusionPAGPipeline",
    "StableDiffusionXLPipeline": "StableDiffusionXLPAGPipeline",
    SD3: "StableDiffusion3PAGPipeline",
    "PixArtSigmaPipeline": "PixArtSigmaPAGPipeline",
    "SanaPipeline": "SanaPAGPipeline",
    "HunyuanDiTPipeline": "HunyuanDiTPAGPipeline",
}
WAYS = [(name, case) for name in PAG for case in exact.cases(PAG[name])]
UNNORMED = {"qk_norm": None, "dual_attention_layers": ()}
"""Like Stable Diffusion 3: the tiny model is like 3.5, which perturbed attention is not made for."""
QUICK = {(SD, exact.CASES[1]), (SD, exact.CASES[3]), (SD3, exact.CASES[0])}
slow = pytest.mark.slow


@pytest.fixture(scope="module")
def unnormed(family, tmp_path_factory):
    """The tiny model of a class, with an attention that can be perturbed."""

    @functools.cache
    def make(name):
        if name != SD3:
            return family(name)
        parts, folder = dits.sd3(), tmp_path_factory.mktemp("sd3")
        config = {**parts["transformer"].config, **UNNORMED}
        parts["transformer"] = diffusers.SD3Transformer2DModel.from_config(config)
        disturb(parts["transformer"])
        diffusers.StableDiffusion3Pipeline(**parts).save_pretrained(folder)
        return survey(folder, at="test")

    return make


def guider(way="attention", layers=(), strength=3.0, start=0.0, end=1.0, **more):
    return Guider("CFG", weakening=Weakening(way, layers, strength, start, end), **more)


def ours(source, guider, case=exact.CASES[0], *, positive=None, steps=None, guidance=None, **options):
    tiny, call = TINY[source.pipeline_class], stock.signature(source.pipeline_class)
    encoder = TextEncoder(source)
    negative = prompts.encode_text(encoder, exact.NEGATIVE, role="negative", options=tiny.text) if case.guided else None
    return denoising.sample(
        Denoiser(source),
        positive or prompts.encode_text(encoder, exact.PROMPT, options=tiny.text),
        negative,
        BlankLatent(*tiny.sizes[case.size], case.batch),
        scheduler=Scheduler(str(source.scheduler["_class_name"]), source.kind, source.scheduler),
        steps=steps or tiny.steps,
        guidance=guidance or exact.guidance_of(source.pipeline_class, case),
        seed=7,
        options={**exact.options_of(tiny, call, case), **options},
        guider=guider,
    ).samples


def theirs(source, case, **made):
    """Of the stock PAG class, on a tree of modules of its own: it changes those that it is given."""
    name = source.family.denoisers[0]
    with ExitStack() as held, torch.no_grad():
        pipeline = exact.stock_pipeline(held, source, PAG[source.pipeline_class], **made)
        pipeline.register_modules(**{name: twin(getattr(pipeline, name))})
        return exact.stock_call(pipeline, case, "latent")


@pytest.mark.parametrize(
    ("name", "case"), [way if way in QUICK else pytest.param(*way, marks=slow) for way in WAYS], ids=str
)
def test_perturbed_attention_is_the_pag_class_s(unnormed, name, case):
    source = unnormed(name)
    found = ours(source, guider(), case)
    assert torch.equal(found, theirs(source, case))
    assert not torch.equal(found, ours(source, None, case))


@pytest.mark.parametrize(
    ("layers", "stock_s"),
    [(("down_blocks.1",), ["down_blocks.1"]), (("mid_block", "up_*.0.attentions"), ["mid", "up_blocks.0"])],
)
def test_layers_are_named_as_in_the_stock_class(family, layers, stock_s):
    found = ours(family(SD), guider(layers=layers))
    assert torch.equal(found, theirs(family(SD), exact.CASES[0], pag_applied_layers=stock_s))
    assert not torch.equal(found, ours(family(SD), guider()))


@pytest.mark.parametrize("case", [exact.CASES[0], pytest.param(exact.CASES[1], marks=slow)], ids=str)
def test_skipped_blocks_are_those_of_stable_diffusion_3(family, case):
    source, own = family(SD3), {"skip_layer_guidance_stop": 0.9, "skip_layer_guidance_start": 0.01}
    layers = guider("blocks", ("transformer_blocks.1",), 2.8, 0.01, 0.9)
    skipped = {"skip_guidance_layers": [1], "skip_layer_guidance_scale": 2.8, **own}
    assert torch.equal(ours(source, layers, case, steps=4), ours(source, None, case, steps=4, **skipped))
    assert not torch.equal(ours(source, layers, case, steps=4), ours(source, None, case, steps=4))


@pytest.mark.parametrize("name", [SD, pytest.param("PixArtSigmaPipeline", marks=slow)])
def test_smoothed_queries_are_those_of_diffusers_hook(family, name):
    """It takes the mean below its threshold for an infinite blur, where it should above: so it is told to blur less."""
    source, layers = family(name), {SD: "mid_block.attentions.0.transformer_blocks"}.get(name, "transformer_blocks")
    weak = source.patched(weak_layers.WeakPatch("queries", (f"{layers}.0",)))
    part = source.family.denoisers[0]
    with SHELF.use(weak, part) as ours, SHELF.use(source, part) as plain, torch.inference_mode():
        theirs = twin(plain)
        config = SmoothedEnergyGuidanceConfig([0], fqn=layers)
        _apply_smoothed_energy_guidance_hook(theirs, config, blur_sigma=9000.0)
        text = torch.randn(1, 6, 32, generator=torch.Generator().manual_seed(0))
        latents = torch.randn(1, plain.config.in_channels, 16, 16, generator=torch.Generator().manual_seed(1))
        more = {} if name == SD else {"added_cond_kwargs": {"resolution": None, "aspect_ratio": None}}
        said = [
            module(latents, timestep=torch.tensor([500]), encoder_hidden_states=text, **more).sample
            for module in (ours, theirs, plain)
        ]
    assert torch.allclose(said[0], said[1], atol=1e-5)  # it adds up in another order
    assert not torch.allclose(said[0], said[2], atol=1e-3)


@pytest.mark.parametrize("case", [exact.CASES[1], exact.CASES[2]], ids=str)
def test_smoothed_attention_is_led_away_from(family, case):
    found, plain = (ours(family(SD), way, case) for way in (guider("queries"), None))
    assert torch.isfinite(found).all()
    assert not torch.equal(found, plain)


def test_a_rescaled_guidance_is_rescaled_last(family):
    source = family(SD)
    with ExitStack() as held, torch.no_grad():
        pipeline = exact.stock_pipeline(held, source, PAG[SD])
        pipeline.unet = twin(pipeline.unet)
        stock_s = pipeline(
            exact.PROMPT,
            negative_prompt=exact.NEGATIVE,
            width=32,
            height=32,
            guidance_scale=3.0,
            guidance_rescale=0.7,
            num_inference_steps=2,
            generator=[torch.Generator().manual_seed(7)],
            output_type="latent",
        ).images
    assert torch.equal(ours(source, guider(settings={"rescale": 0.7})), stock_s)


@pytest.mark.parametrize(
    ("name", "layers"),
    [(FLUX, ("single_transformer_blocks.0",)), pytest.param("WanPipeline", ("blocks.0",), marks=slow)],
)
def test_blocks_are_skipped_where_predictions_come_one_by_one(family, name, layers):
    source, case = family(name), exact.CASES[0]
    skipping = guider("blocks", layers, 2.0)
    found = ours(source, skipping, case, steps=3)
    assert torch.isfinite(found).all()
    assert torch.equal(found, ours(source, skipping, case, steps=3))
    assert not torch.equal(found, ours(source, None, case, steps=3))


def test_without_a_negative_the_weakened_prediction_acts_alone(family):
    source, case = family(FLUX), exact.CASES[2]
    skipping = guider("blocks", ("transformer_blocks.*",), 2.0)
    assert not torch.equal(ours(source, skipping, case, steps=3), ours(source, None, case, steps=3))
    idle = guider("blocks", ("transformer_blocks.*",), 2.0, 0.0, 0.1)
    assert torch.equal(ours(source, idle, case, steps=3), ours(source, None, case, steps=3))
    with pytest.raises(PatchbayError, match="above 1"):
        ours(source, replace(skipping, name="APG"), case)


@pytest.mark.parametrize(("name", "way"), [(SD, ("attention", ())), (SD3, ("blocks", ("transformer_blocks.0",)))])
def test_several_prompts_that_are_one_are_one(family, name, way):
    """The weakened prediction is averaged as the whole one is."""
    source = family(name)
    prompt = prompts.encode_text(TextEncoder(source), exact.PROMPT)
    same = regions.combined([prompt, regions.limited(prompt, Area(strength=1.0))])
    found, plain = (ours(source, guider(*way), positive=each, steps=3) for each in (same, prompt))
    assert torch.allclose(found, plain, atol=1e-4)
    assert not torch.allclose(found, ours(source, None, steps=3), atol=1e-3)


def test_no_strength_is_no_change_and_time_is_kept(family):
    source = family(SD)
    plain = ours(source, Guider("CFG"), steps=4)
    assert torch.allclose(ours(source, guider(strength=0.0), steps=4), plain, atol=1e-5)
    assert not torch.allclose(ours(source, guider(end=0.25), steps=4), plain, atol=1e-3)
    assert torch.equal(ours(source, guider(start=0.9), steps=4), plain)


def test_two_threads_share_a_model_and_only_one_is_weakened(family):
    source, case = family(SD), exact.CASES[0]
    ways = {"weak": guider(), "plain": None, "other": guider(layers=("down_blocks",))}
    alone, beside = {name: ours(source, way, case, steps=4) for name, way in ways.items()}, {}

    def work(name):
        torch.set_num_threads(1)
        beside[name] = ours(source, ways[name], case, steps=4)

    threads = [threading.Thread(target=work, args=(name,)) for name in ways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(beside[name], alone[name]) for name in ways)
    with SHELF.use(source, "unet") as unet:
        assert len({type(processor) for processor in unet.attn_processors.values()}) == 1


@pytest.fixture(scope="module")
def weaker(family, tmp_path_factory):
    """The tiny model of a class with other weights."""

    @functools.cache
    def make(name):
        folder = tmp_path_factory.mktemp(name)
        shutil.copytree(family(name).path, folder, dirs_exist_ok=True)
        (file,) = (folder / family(name).family.denoisers[0]).glob("*.safetensors")
        save_file({key: tensor * 0.9 for key, tensor in load_file(file).items()}, file)
        return Denoiser(survey(folder, at="test"))

    return make


def test_a_weaker_model_is_led_away_from(family, weaker):
    """By the formula of its authors: theirs is w = 3 where the strength is 2."""
    source = family(SD)
    strong, weak = Denoiser(source), weaker(SD)
    steps, scheduler = 3, diffusers.DDIMScheduler.from_config(source.scheduler)
    away = Guider("CFG", weakening=Weakening("model", (), 2.0, model=weak))
    words = prompts.encode_text(TextEncoder(source), exact.PROMPT)
    settings = {"scheduler": "DDIM", "steps": steps, "guidance": 1.0, "seed": 7}
    found = denoising.sample(strong, words, None, BlankLatent(32, 32, 1), **settings, guider=away).samples
    x = torch.randn(found.shape, generator=torch.Generator().manual_seed(7))
    scheduler.set_timesteps(steps)
    with torch.inference_mode(), SHELF.use(source, "unet") as one, SHELF.use(weak.source, "unet") as other:
        for time in scheduler.timesteps:
            own, bad = (unet(x, time, words.tensors["prompt_embeds"]).sample for unet in (one, other))
            x = scheduler.step(bad + 3.0 * (own - bad), time, x).prev_sample
    assert torch.allclose(found, x, atol=1e-4)
    plain = denoising.sample(strong, words, None, BlankLatent(32, 32, 1), **settings).samples
    assert not torch.allclose(found, plain, atol=1e-2)


@pytest.mark.parametrize("name", [SD, pytest.param(FLUX, marks=slow), pytest.param("WanPipeline", marks=slow)])
def test_a_model_is_not_led_away_from_itself(family, weaker, name):
    source, case = family(name), exact.CASES[0]
    plain = ours(source, Guider("CFG"), case, steps=3)
    models = (Denoiser(source), weaker(name))
    itself, other = (Guider("CFG", weakening=Weakening("model", (), 2.0, model=model)) for model in models)
    assert torch.allclose(ours(source, itself, case, steps=3), plain, atol=1e-4)
    assert not torch.allclose(ours(source, other, case, steps=3), plain, atol=1e-3)


def test_a_weaker_model_of_another_kind_or_beside_a_controlnet_is_refused(family, tmp_path):
    source = family(SD)
    other = Guider("CFG", weakening=Weakening("model", (), 2.0, model=Denoiser(family(FLUX))))
    with pytest.raises(PatchbayError, match="of kind flux") as caught:
        ours(source, other)
    assert caught.value.code is Code.KIND_MISMATCH
    net = build_net(source, tmp_path / "net")
    positive = prompts.encode_text(TextEncoder(source), exact.PROMPT)
    steered = with_control(positive, Control(net, Image(torch.rand(1, 3, 32, 32))))
    itself = Guider("CFG", weakening=Weakening("model", (), 2.0, model=Denoiser(source)))
    with pytest.raises(PatchbayError, match="layers of one model"):
        ours(source, itself, positive=steered)


@pytest.mark.parametrize(
    ("name", "way", "layers", "what"),
    [
        (SD, "attention", ("mid_blok",), 'no layer "mid_blok".*Did you mean'),
        (SD, "attention", ("mid_block", "up_blocks.7"), 'no layer "up_blocks.7"'),
        (SD, "blocks", ("mid_block",), "and a StableDiffusionPipeline has none"),
        (FLUX, "queries", (), "not known for a FluxPipeline"),
        (FLUX, "attention", (), "perturbs no attention of a FluxPipeline"),
        (SD3, "attention", (), "are normed"),
        (FLUX, "blocks", ("blocks.0",), 'no layer "blocks.0"'),
        (FLUX, "blocks", (), "No layers are named"),
    ],
)
def test_what_cannot_be_weakened_is_refused_by_name(family, name, way, layers, what):
    with pytest.raises(PatchbayError, match=what) as caught:
        ours(family(name), guider(way, layers), exact.CASES[2])
    assert (caught.value.code, caught.value.at) == (Code.BAD_VALUE, "guider")


def test_without_headers_the_live_model_is_asked(family, monkeypatch):
    """A single file's tensors have other names than the modules."""
    monkeypatch.setattr(denoising, "check_weakening", lambda *_: None)
    with pytest.raises(PatchbayError, match='no layer "nowhere"'):
        ours(family(SD), guider(layers=("nowhere",)))


def test_a_number_in_a_name_is_a_whole_one():
    known = [f"transformer_blocks.{number}" for number in range(12)]
    assert weak_layers.chosen(["transformer_blocks.1"], known, "x") == [known[1]]
    assert weak_layers.chosen(["transformer_blocks.1*"], known, "x") == [known[1], *known[10:]]
    assert weak_layers.chosen(["11", "0"], known, "x") == [known[0], known[11]]
    with pytest.raises(PatchbayError, match=r"transformer_blocks\.2 \.\.\. transformer_blocks\.11 \(12 in all\)"):
        weak_layers.chosen(["b.1"], known, "x")
