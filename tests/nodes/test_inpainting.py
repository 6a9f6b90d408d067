"""The nodes that paint a part of a picture, as people call and wire them."""

import pytest
import torch

from engine import Catalog, Graph, GraphError, PatchbayError, Paths, Settings, plan
from nodes import (
    crop_to_mask,
    edit_channels,
    edit_mask,
    encode_text,
    follow_direction,
    latent_arithmetic,
    load_model,
    mask_latent,
    mix_latents,
    pad_image,
    paste_back,
    resize_mask,
    sample,
    vae_encode,
    vae_encode_masked,
)
from nodes.pocket import MODEL
from nodes.types import Direction, Image, Mask
from tests.nodes.diffusion.tiny.table import build


@pytest.fixture(scope="module")
def parts():
    torch.set_num_threads(1)
    return load_model(model=MODEL)


@pytest.fixture(scope="module")
def picture():
    return Image(torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(1)))


@pytest.fixture(scope="module")
def mask():
    coverage = torch.zeros(1, 1, 128, 128)
    coverage[..., 40:60, 70:100] = 1
    return Mask(coverage)


@pytest.fixture(scope="module")
def masked(parts, picture, mask):
    return vae_encode_masked(parts.vae, picture, mask)


def test_only_what_the_mask_says_is_painted(parts, masked, picture, mask):
    prompt = encode_text(parts.text_encoder, "a red circle")
    settings = {"steps": 2, "guidance": 1.0}
    painted = sample(parts.model, prompt, masked, **settings)
    changed = painted.samples != masked.samples
    assert changed.any()
    assert not changed[..., :5, :].any()
    by_hand = mask_latent(vae_encode(parts.vae, picture).latent, mask)
    assert torch.equal(sample(parts.model, prompt, by_hand, **settings).samples, painted.samples)


def test_a_piece_goes_out_and_comes_back(picture, mask):
    cut = crop_to_mask(picture, mask, width=64, height=64, padding=8)
    assert (cut.placement.width, cut.placement.height) == (64, 64)
    assert "64 x 64" in str(cut.placement.inspect(0))
    assert torch.equal(paste_back(picture, cut.image, mask, cut.placement).pixels, picture.pixels)
    other = paste_back(picture, Image(1 - cut.image.pixels), mask, cut.placement, edge=4).pixels
    near = edit_mask(mask, grow=4).coverage.expand_as(other) > 0
    assert torch.equal(other[~near], picture.pixels[~near])
    assert not torch.equal(other, picture.pixels)


def test_a_picture_grows_and_its_mask_with_it(picture):
    larger = pad_image(picture, right=64, overlap=0)
    assert larger.image.pixels.shape[-1] == larger.mask.coverage.shape[-1] == 192
    assert larger.mask.coverage.sum() == 64 * 128


def test_masks_are_resized_as_pictures_are(mask):
    assert resize_mask(mask, width=64, height=32, fit="stretch").coverage.shape == (1, 1, 32, 64)
    assert resize_mask(mask, width=128, height=128) is not None
    assert torch.equal(resize_mask(mask, width=128, height=128).coverage, mask.coverage)


def test_a_mask_is_never_lost_in_what_is_made_of_latents(masked):
    direction = Direction(torch.zeros(1, 4, 1, 1), masked.kind)
    for call in (
        lambda: mix_latents(masked, masked),
        lambda: latent_arithmetic(masked),
        lambda: latent_arithmetic(masked, masked, masked),
        lambda: follow_direction(masked, direction),
        lambda: edit_channels(masked, scale=[1.0] * 4),
    ):
        with pytest.raises(PatchbayError, match="has a mask") as caught:
            call()
        assert "then mask the result" in caught.value.fix


def test_what_brings_a_mask_says_so(masked):
    facts = dict(masked.inspect(0).facts)
    assert facts["mask covers"] == "3.7%"


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A model that was made for inpainting."""
    folder = tmp_path_factory.mktemp("reader") / "model"
    build("StableDiffusionInpaintPipeline", folder)
    return folder


def planned(folder, latent, *more, sampler="Sample", last=None):
    """Problems of a graph that samples what the node `latent` gives."""
    nodes = {
        "load": {"type": "LoadModel", "inputs": {"model": str(folder)}},
        "image": {"type": "LoadImage", "inputs": {"file": "sailboat.png"}},
        "mask": {"type": "MaskFromImage", "inputs": {"image": {"link": "image.image"}}},
        "encode": {
            "type": "VAEEncode",
            "inputs": {"vae": {"link": "load.vae"}, "image": {"link": "image.image"}},
        },
        "alone": {
            "type": "MaskLatent",
            "inputs": {"latent": {"link": "encode.latent"}, "mask": {"link": "mask.mask"}},
        },
        "both": {
            "type": "VAEEncodeMasked",
            "inputs": {
                "vae": {"link": "load.vae"},
                "image": {"link": "image.image"},
                "mask": {"link": "mask.mask"},
            },
        },
        "empty": {"type": "EmptyLatent", "inputs": {}},
        "text": {"type": "EncodeText", "inputs": {"text_encoder": {"link": "load.text_encoder"}, "text": "x"}},
        "sample": {
            "type": sampler,
            "inputs": {
                "model": {"link": "load.model"},
                "positive": {"link": "text.conditioning"},
                "latent": {"link": f"{latent}.latent"},
                **({"last": last} if last else {}),
            },
        },
        **dict(more),
    }
    outputs = {"latent": f"{next(reversed(nodes))}.latent"}
    document = {"version": 1, "nodes": nodes, "interface": {"inputs": {}, "outputs": outputs}}
    graph = Graph.from_data(document, folder=folder.parent)
    try:
        plan(graph, Catalog.load(), Paths().granting(folder), Settings())
    except GraphError as error:
        return error.problems
    return ()


def again(latent="sample"):
    inputs = {
        "model": {"link": "load.model"},
        "positive": {"link": "text.conditioning"},
        "latent": {"link": f"{latent}.latent"},
    }
    return ("again", {"type": "Sample", "inputs": inputs})


@pytest.mark.parametrize(("latent", "lacks"), [("empty", "neither"), ("encode", "neither"), ("alone", "without")])
def test_a_model_that_reads_a_mask_is_refused_without_one_before_anything_runs(reader, latent, lacks):
    (problem,) = planned(reader, latent)
    assert problem.at == "sample.latent"
    assert lacks in problem.what
    assert "VAEEncodeMasked" in problem.fix


def test_with_a_mask_and_the_picture_around_it_the_plan_stands(reader):
    assert not planned(reader, "both")
    assert not planned(MODEL, "both")
    assert not planned(MODEL, "alone")


def test_the_plan_knows_that_what_is_finished_has_no_mask_any_more(reader):
    assert planned(reader, "both", again())[0].at == "again.latent"
    assert planned(reader, "both", again(), sampler="SampleSteps")[0].at == "again.latent"
    assert not planned(reader, "both", again(), sampler="SampleSteps", last=3)


def test_the_plan_refuses_to_mix_masked_latents():
    mix = ("mix", {"type": "MixLatents", "inputs": {"a": {"link": "encode.latent"}, "b": {"link": "alone.latent"}}})
    (problem,) = planned(MODEL, "encode", mix)
    assert problem.at == "mix.b"
    assert "then mask the result" in problem.fix
