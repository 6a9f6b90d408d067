"""Pictures beside the words: which a model reads, how many, and that they are read."""

from contextlib import ExitStack
from dataclasses import replace

import pytest
import torch

from engine.errors import Code, PatchbayError
from engine.events import NodeMessage
from nodes import encode_text, sample
from nodes.diffusion.disk.source import survey
from nodes.diffusion.families.families import FAMILIES
from nodes.diffusion.latents import autoencoding
from nodes.diffusion.latents.latent_math import mix
from nodes.diffusion.sampling.regions import combined
from nodes.diffusion.stages.layouts import Size
from nodes.diffusion.text import picturing, prompts
from nodes.diffusion.weights.loading import load_part
from nodes.types import VAE, BlankLatent, Denoiser, Guider, Image, TextEncoder
from tests.nodes.diffusion.tiny import exact, shown
from tests.nodes.diffusion.tiny.seeing import Qwen2VLProcessor
from tests.nodes.diffusion.tiny.table import TINY, build

# Diffusers' own, of Depth2Img
pytestmark = pytest.mark.filterwarnings("ignore:In CPU autocast:UserWarning")

OPTIONAL = "FluxKontextPipeline"

READING = [name for name, tiny in TINY.items() if any(tiny.pictures)]


def pictures(count, seed=0, width=32):
    return Image(torch.rand(count, 3, 32, width, generator=torch.Generator().manual_seed(seed)))


def encoded(source, *shown, role="positive"):
    options = TINY[source.pipeline_class].text
    return prompts.encode_text(TextEncoder(source), "a fox", role=role, options=options, pictures=shown)


def drawn(source, positive, negative=None, **options):
    given = {"scheduler": "FlowMatchEuler", "steps": 1, "guidance": 3.0, "seed": 0, "options": {"_auto_resize": False}}
    return sample(Denoiser(source), positive, BlankLatent(32, 32, 1), negative, **{**given, **options})


VIDEO = "LTXImageToVideoPipeline"
"""Of the classes that draw videos, the one that is always tried."""


LONG = {"Kandinsky5I2IPipeline", "ZImageOmniPipeline"}
"""Of those that draw pictures, the ones that take seconds."""


def takes_long(name):
    return (TINY[name].frames > 1 and name != VIDEO) or name in LONG


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if takes_long(name) else name for name in READING]
)
def test_with_pictures_the_stages_give_the_stock_pipeline_s_bits(family, name):
    """One case of those that `test_exact` runs for every class."""
    batch = 2 if TINY[name].batches else 1
    case = exact.Case(batch=batch, pictures=max(TINY[name].pictures))
    equal = exact.compare(family(name), case)
    assert all(equal.values()), equal


def test_another_picture_gives_another_latent(family):
    source, case = family(OPTIONAL), exact.Case(pictures=1)
    one, other, none = (
        exact.own_latent(source, case, pictures=shown)[2].samples
        for shown in ([pictures(1)], [pictures(1, seed=1)], [])
    )
    assert not torch.equal(one, other)
    assert not torch.equal(one, none)


def test_the_pictures_of_a_batch_count_one_by_one(family):
    source = family("Flux2Pipeline")
    both = Image(pictures(2).pixels.repeat(1, 1, 2, 2))
    together, alone = encoded(source, both), encoded(source, *(Image(each[None]) for each in both.pixels))
    assert len(together.pictures) == 2
    assert together.digest() == alone.digest()


def test_pictures_are_of_the_prompt_s_identity_and_weight(family):
    source = family(OPTIONAL)
    none, one, other = encoded(source), encoded(source, pictures(1)), encoded(source, pictures(1, seed=1))
    assert len({none.digest(), one.digest(), other.digest()}) == 3
    assert one.nbytes == none.nbytes + pictures(1).nbytes
    assert len(one.inspect(1).pictures) == 1


def test_too_many_pictures_are_refused(family):
    with pytest.raises(PatchbayError, match="1 picture at most, and there are 2") as caught:
        encoded(family(OPTIONAL), pictures(2))
    assert caught.value.at == "pictures"


def test_a_model_that_reads_none_says_so(tiny):
    with pytest.raises(PatchbayError, match="reads no pictures") as caught:
        encode_text(TextEncoder(tiny), "a fox", [pictures(1)])
    assert caught.value.fix.startswith("Take the link away")


def test_the_negative_prompt_has_the_same_pictures_or_none(family):
    source = family(OPTIONAL)
    positive = encoded(source, pictures(1))
    assert drawn(source, positive, encoded(source)).samples.isfinite().all()
    assert drawn(source, positive, encoded(source, pictures(1))).samples.isfinite().all()
    with pytest.raises(PatchbayError, match="other pictures") as caught:
        drawn(source, positive, encoded(source, pictures(1, seed=1)))
    assert caught.value.at == "negative"


def test_prompts_with_different_pictures_are_neither_mixed_nor_combined(family):
    source = family(OPTIONAL)
    one, other = encoded(source, pictures(1)), encoded(source, pictures(1, seed=1))
    with pytest.raises(PatchbayError, match="different pictures"):
        mix(one, other, 0.5)
    with pytest.raises(PatchbayError):
        drawn(source, combined([one, other]))


def test_no_guider_weighs_a_prediction_that_is_also_of_pictures(family):
    source = family(OPTIONAL)
    positive, negative = encoded(source, pictures(1)), encoded(source)
    with pytest.raises(PatchbayError, match="also of its pictures"):
        drawn(source, positive, negative, guider=Guider("CFG", {}), options={"true_cfg_scale": 3.0})


@pytest.mark.parametrize("name", ["JoyImageEditPipeline", "BriaFibo2Pipeline"])
def test_a_model_that_lists_its_sizes_draws_the_one_nearest_to_its_picture(family, name):
    source, shown = family(name), exact.pictures_of(name, 1)
    with exact.small_area(name):
        positive = encoded(source, *shown)
        with pytest.raises(PatchbayError, match="for a picture of 32 x 32 the model draws 32 x 32") as caught:
            sample(
                Denoiser(source), positive, BlankLatent(*TINY[name].sizes[1], 1), scheduler="FlowMatchEuler", steps=1
            )
    assert caught.value.at == "latent"


def test_a_picture_is_no_option(family):
    with pytest.raises(PatchbayError, match='takes no option "image"'):
        prompts.encode_text(TextEncoder(family(OPTIONAL)), "a fox", options={"image": "fox.png"})


def test_a_text_to_video_folder_reads_a_picture_as_its_kin_does(family):
    """The same parts make two classes, and the pictures choose."""
    source, kin = family("LTXPipeline"), family("LTXImageToVideoPipeline")
    shown = exact.pictures_of("LTXImageToVideoPipeline", 1)
    ours, theirs = (exact.own_latent(each, exact.Case(), pictures=shown)[2].samples for each in (source, kin))
    assert torch.equal(ours, theirs)
    assert not torch.equal(ours, exact.own_latent(source, exact.Case())[2].samples)


def test_what_encodes_its_picture_only_with_fresh_noise_begins_from_no_latent(family):
    source, shown = family("LTXPipeline"), exact.pictures_of("LTXPipeline", 1)
    positive, _, latent = exact.own_latent(source, exact.Case(), pictures=shown)
    with pytest.raises(PatchbayError, match="begins with a blank latent only"):
        sample(Denoiser(source), positive, latent, scheduler="FlowMatchEuler", steps=1, guidance=1.0)


def test_a_stretched_picture_is_told(family, within):
    source, seen = family("LTXPipeline"), []
    wide = Image(torch.rand(1, 3, 64, 96))
    with within(emit=seen.append):
        exact.own_latent(source, exact.Case(), pictures=[wide])
    assert any("96 x 64 is stretched to 64 x 64" in event.text for event in seen if isinstance(event, NodeMessage))


@pytest.mark.slow
def test_a_picture_that_lies_beside_the_latents_costs_their_first_frame(monkeypatch, tmp_path):
    """The stock call cuts it off its latents, but decodes it."""
    name = "HunyuanVideoImageToVideoPipeline"
    monkeypatch.setitem(TINY, name, replace(TINY[name], make=shown.hunyuan_video_concatenating))
    build(name, tmp_path / "model")
    source, case = survey(tmp_path / "model", at="test"), exact.Case(pictures=1)
    with ExitStack() as held, torch.no_grad():
        latents = exact.stock_call(exact.stock_pipeline(held, source), case, "latent")
        frames = exact.stock_pictures(exact.stock_pipeline(held, source), case)
    ours = exact.own_latent(source, case)[2]
    assert torch.equal(ours.samples[:, :, 1:], latents)
    assert torch.equal(autoencoding.decode(VAE(source), ours).pixels, frames[0])


def test_one_picture_to_go_on_from_is_a_picture_and_more_are_a_video():
    family, size = FAMILIES["CosmosVideoToWorldPipeline"], Size(32, 32, 9)
    one, more = picturing.single([pictures(1)]), picturing.single([pictures(3)])
    assert [each.size for each in picturing.arguments(family, one, size, 2)["image"]] == [(32, 32)] * 2
    assert [len(each) for each in picturing.arguments(family, more, size, 2)["video"]] == [3] * 2
    assert [each.size for each in picturing.arguments(family, more, size)["video"]] == [(32, 32)] * 3


def test_pictures_to_go_on_from_fit_into_the_latent(family):
    source = family("Cosmos2VideoToWorldPipeline")
    with pytest.raises(PatchbayError, match="6 pictures, and the latent stands for 5 frames"):
        sample(Denoiser(source), encoded(source, pictures(6)), BlankLatent(32, 32, 1, 5), scheduler="EDMEuler", steps=1)


def test_a_video_to_edit_is_as_long_as_the_latent(family):
    source = family("LucyEditPipeline")
    positive = encoded(source, pictures(4))
    with pytest.raises(PatchbayError, match="4 pictures, and the latent stands for 5 frames"):
        sample(Denoiser(source), positive, BlankLatent(32, 32, 1, 5), scheduler="FlowMatchEuler", steps=1)


def test_what_draws_one_at_a_time_refuses_more(family):
    source = family("WanVACEPipeline")
    with pytest.raises(PatchbayError, match="one video at a time, and the latent asks for 2"):
        sample(Denoiser(source), encoded(source), BlankLatent(32, 32, 2, 5), scheduler="FlowMatchEuler", steps=1)


def test_a_model_of_pictures_alone_refuses_words(family):
    source = family("StableVideoDiffusionPipeline")
    with pytest.raises(PatchbayError, match="reads no words") as caught:
        encoded(source, pictures(1))
    assert caught.value.at == "text"
    nothing = prompts.encode_text(TextEncoder(source), "", pictures=[pictures(1)])
    assert nothing.tensors == {}


def test_a_picture_that_the_pipeline_refuses_is_told_as_such(family):
    with pytest.raises(PatchbayError, match="refuses a picture: Image too small") as caught:
        encoded(family("Flux2Pipeline"), pictures(1))
    assert caught.value.at == "pictures"


def test_a_processor_that_needs_torchvision_says_so(family, monkeypatch):
    source = family("QwenImageEditPipeline")
    monkeypatch.setattr("nodes.diffusion.weights.loading.find_spec", lambda _: None)
    monkeypatch.setattr(Qwen2VLProcessor, "from_pretrained", lambda *_args, **_kwargs: [].missing)
    with pytest.raises(PatchbayError, match="needs torchvision") as caught:
        load_part(source, "processor", torch.device("cpu"), torch.float32)
    assert caught.value.code is Code.MISSING_PACKAGE
