"""IP-Adapters: bit for bit what a stock pipeline gives after `load_ip_adapter`, and nothing shared is touched."""

import threading
from contextlib import ExitStack
from dataclasses import replace
from unittest import mock

import pytest
import torch
import transformers

from engine.errors import Code, PatchbayError
from nodes.diffusion.changes.patches import PatchFile
from nodes.diffusion.disk.eyes import ENCODER, survey_encoder
from nodes.diffusion.memory.patching import twin
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures.pixels import to_pillow
from nodes.diffusion.sampling import denoising
from nodes.diffusion.sampling.adapting import adapted
from nodes.diffusion.stages import stock
from nodes.diffusion.text import prompts
from nodes.types import BlankLatent, Denoiser, Guider, Image, IPAdapter, Scheduler, TextEncoder, Weakening
from tests.nodes.diffusion.tiny import adapters, exact
from tests.nodes.diffusion.tiny.table import TINY

SD, XL, FLUX = "StableDiffusionPipeline", "StableDiffusionXLPipeline", "FluxPipeline"
GUIDED, UNGUIDED = exact.CASES[1], exact.CASES[2]
slow = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("adapters")
    adapters.save_encoder(made / ENCODER)
    return made


@pytest.fixture(scope="module")
def adapter(family, folder):
    """An adapter for a model, by its kind and number."""

    def make(name, kind="plain", seed=0):
        path = folder / f"{name}-{kind}-{seed}.safetensors"
        if not path.exists():
            adapters.save(path, adapters.weights(family(name), kind, seed))
        return IPAdapter(PatchFile.at(path, "file"), survey_encoder(folder / ENCODER, "file"))

    return make


def picture(seed=0, count=1, size=(40, 56)):
    drawn = torch.rand(count, 3, *size, generator=torch.Generator().manual_seed(seed))
    return Image((drawn * 255).round() / 255)


def shown(source, *given):
    """The model with adapters: each an adapter, a picture, a strength, and a share of the steps."""
    model = Denoiser(source)
    for one, image, strength, *share in given:
        model = adapted(model, one, image, strength, *(share or (0.0, 1.0)))
    return model


def ours(model, case=GUIDED, *, steps=None, **more):
    source = model.source
    tiny, call = TINY[source.pipeline_class], stock.signature(source.pipeline_class)
    encoder = TextEncoder(source.plain)
    negative = prompts.encode_text(encoder, exact.NEGATIVE, role="negative", options=tiny.text) if case.guided else None
    return denoising.sample(
        model,
        prompts.encode_text(encoder, exact.PROMPT, options=tiny.text),
        negative,
        BlankLatent(*tiny.sizes[case.size], case.batch),
        scheduler=Scheduler(str(source.scheduler["_class_name"]), source.kind, source.scheduler),
        steps=steps or tiny.steps,
        guidance=exact.guidance_of(source.pipeline_class, case),
        seed=7,
        options=exact.options_of(tiny, call, case),
        **more,
    ).samples


def theirs(source, case, *given, name=None, **made):
    """Of the stock class, called as its documentation says, on modules of its own."""
    part = source.family.denoisers[0]
    with ExitStack() as held, torch.no_grad():
        eyes = held.enter_context(SHELF.use(given[0][0].encoder, ENCODER))
        processor = transformers.CLIPImageProcessor(size=adapters.SIDE, crop_size=adapters.SIDE)
        beside = {"image_encoder": eyes, "feature_extractor": processor, **made}
        pipeline = exact.stock_pipeline(held, source, name, **beside)
        pipeline.register_modules(**{part: twin(getattr(pipeline, part))})
        files = [one.file.path for one, *_ in given]
        pipeline.load_ip_adapter(
            [str(path.parent) for path in files],
            **({"subfolder": [""] * len(files)} if part == "unet" else {}),
            weight_name=[path.name for path in files],
        )
        pipeline.set_ip_adapter_scale([strength for _, _, strength, *_ in given])
        images = [[to_pillow(pixels) for pixels in image.pixels] for _, image, *_ in given]
        cls = type(pipeline).__name__
        options = {"ip_adapter_image": [each if len(each) > 1 else each[0] for each in images]}
        with mock.patch.dict(TINY, {cls: replace(TINY[cls], options={**TINY[cls].options, **options})}):
            found = exact.stock_call(pipeline, case, "latent")
        return exact.layouts.unpack(pipeline, found, exact.layouts.Size(*TINY[cls].sizes[case.size]))


@pytest.mark.parametrize(
    ("name", "kind", "case"),
    [
        (SD, "plain", GUIDED),
        (SD, "plus", exact.CASES[0]),
        pytest.param(SD, "plain", UNGUIDED, marks=slow),
        pytest.param(SD, "plus", exact.CASES[3], marks=slow),
        (XL, "plain", exact.CASES[0]),
        pytest.param(XL, "plus", GUIDED, marks=slow),
        pytest.param(XL, "plain", UNGUIDED, marks=slow),
        (FLUX, "plain", exact.CASES[0]),
        pytest.param(FLUX, "plain", GUIDED, marks=slow),
        pytest.param(FLUX, "plain", UNGUIDED, marks=slow),
    ],
    ids=str,
)
def test_an_adapted_model_gives_the_stock_pipeline_s_bits(family, adapter, name, kind, case):
    source, given = family(name), (adapter(name, kind), picture(), 0.7)
    found = ours(shown(source, given), case)
    assert torch.equal(found, theirs(source, case, given))
    assert not torch.equal(found, ours(Denoiser(source), case))


@pytest.mark.parametrize("name", [SD, pytest.param(XL, marks=slow), pytest.param(FLUX, marks=slow)])
def test_several_adapters_and_pictures_act_together(family, adapter, name):
    second = "plain" if name == FLUX else "plus"
    several = [(adapter(name), picture(1), 0.5), (adapter(name, second, 1), picture(2, count=2), 0.8)]
    if name == FLUX:  # one picture each
        several[1] = (*several[1][:1], picture(2), 0.8)
    source = family(name)
    assert torch.equal(ours(shown(source, *several)), theirs(source, GUIDED, *several))
    assert not torch.equal(ours(shown(source, *several)), ours(shown(source, several[0])))


def test_perturbed_attention_is_the_pag_class_s_here_too(family, adapter):
    source, given = family(SD), (adapter(SD), picture(), 0.7)
    guider = Guider("CFG", weakening=Weakening("attention", (), 3.0))
    stock_s = theirs(source, GUIDED, given, name="StableDiffusionPAGPipeline")
    assert torch.equal(ours(shown(source, given), guider=guider), stock_s)


def test_no_strength_is_no_change(family, adapter):
    plain = ours(Denoiser(family(SD)))
    assert torch.equal(ours(shown(family(SD), (adapter(SD), picture(), 0.0))), plain)


@pytest.mark.parametrize("name", [SD, pytest.param(FLUX, marks=slow)])
def test_adapters_act_in_their_share_of_the_steps(family, adapter, name):
    source, one, other = family(name), adapter(name), adapter(name, seed=1)
    never = shown(source, (one, picture(), 0.7, 0.9, 1.0))
    assert torch.equal(ours(never, steps=2), ours(Denoiser(source), steps=2))
    always, timed = shown(source, (one, picture(), 0.7)), shown(source, (one, picture(), 0.7, 0.0, 0.5))
    assert not torch.equal(ours(timed, steps=4), ours(always, steps=4))
    assert not torch.equal(ours(timed, steps=4), ours(Denoiser(source), steps=4))
    both = shown(source, (other, picture(1), 0.9, 0.9, 1.0), (one, picture(), 0.7))
    assert torch.equal(ours(both, steps=4), ours(always, steps=4))


def test_a_weakened_model_sees_what_the_whole_one_sees(family, adapter):
    source, guider = family(SD), Guider("CFG", weakening=Weakening("attention", (), 3.0))
    never = shown(source, (adapter(SD), picture(), 0.7, 0.9, 1.0))
    assert torch.equal(ours(never, steps=2, guider=guider), ours(Denoiser(source), steps=2, guider=guider))


def test_the_shared_denoiser_is_left_as_it_was_in_two_threads(family, adapter):
    source = family(SD)
    models = {"shown": shown(source, (adapter(SD), picture(), 0.7)), "plain": Denoiser(source)}
    alone, beside = {name: ours(model, steps=4) for name, model in models.items()}, {}

    def work(name):
        torch.set_num_threads(1)
        beside[name] = ours(models[name], steps=4)

    threads = [threading.Thread(target=work, args=(name,)) for name in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(beside[name], alone[name]) for name in models)
    with SHELF.use(source, "unet") as unet:
        assert unet.encoder_hid_proj is None
        assert unet.config.encoder_hid_dim_type is None
        assert len({type(processor) for processor in unet.attn_processors.values()}) == 1


def test_the_global_generator_is_not_drawn_from(family, adapter):
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    ours(shown(family(SD), (adapter(SD, seed=9), picture(), 0.7)))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_model_s_own_image_encoder_is_used_where_none_is_given(family, adapter, folder, tmp_path):
    lone = replace(adapter(SD), encoder=None)
    with pytest.raises(PatchbayError, match="Set image_encoder of LoadIPAdapter"):
        shown(family(SD), (lone, picture(), 0.7))
    source = family(SD)
    (source.path / ENCODER).symlink_to(folder / ENCODER)
    try:
        found = ours(shown(source, (lone, picture(), 0.7)))
    finally:
        (source.path / ENCODER).unlink()
    assert torch.equal(found, ours(shown(source, (adapter(SD), picture(), 0.7))))


def test_what_is_shown_is_a_part_of_the_model_s_identity(family, adapter):
    given = [(adapter(SD), picture(), 0.7), (adapter(SD), picture(1), 0.7), (adapter(SD), picture(), 0.7, 0.0, 0.5)]
    digests = {shown(family(SD), each).digest() for each in given} | {Denoiser(family(SD)).digest()}
    assert len(digests) == 4
    assert shown(family(SD), given[0]).digest() == shown(family(SD), given[0]).digest()
    facts = shown(family(SD), given[2]).inspect(0).facts
    assert facts[-1].value.endswith("safetensors at 0.7, steps 0 to 0.5")


def test_an_adapter_of_another_model_is_refused(family, adapter):
    for name, other in ((XL, SD), (SD, FLUX)):
        with pytest.raises(PatchbayError, match="made for another model"):
            shown(family(name), (adapter(other), picture(), 0.7))
    with pytest.raises(PatchbayError, match="see no pictures") as caught:
        shown(family("PixArtSigmaPipeline"), (adapter(SD), picture(), 0.7))
    assert caught.value.code is Code.BAD_VALUE


@pytest.mark.parametrize("missing", ["ip_adapter.1.to_k_ip.weight", "image_proj.layers.2.1.3.weight"])
def test_a_file_that_lacks_weights_is_refused(family, folder, tmp_path, missing):
    tensors = adapters.weights(family(SD), "plus")
    tensors[missing.replace("1", "99", 1)] = tensors.pop(missing)
    path = adapters.save(tmp_path / "odd.safetensors", tensors)
    odd = IPAdapter(PatchFile.at(path, "file"), survey_encoder(folder / ENCODER, "file"))
    with pytest.raises(PatchbayError, match=r"odd\.safetensors cannot be read") as caught:
        ours(shown(family(SD), (odd, picture(), 0.7)))
    assert caught.value.code is Code.BAD_MODEL
