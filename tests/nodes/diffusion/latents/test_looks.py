import io

import pytest
import torch
from PIL import Image as Pillow

from engine.inspection import Inspectable, inspect_value
from nodes.types import (
    VAE,
    BlankLatent,
    Conditioning,
    Direction,
    Image,
    Latent,
    LatentDistribution,
    Mask,
    Scheduler,
    Sigmas,
    TextEncoder,
)


def facts(value):
    return dict(value.inspect(16).facts)


def opened(shown):
    with Pillow.open(io.BytesIO(shown.png)) as picture:
        picture.load()
    assert (picture.format, picture.size) == ("PNG", (shown.width, shown.height))
    return picture


def test_a_latent_is_told_in_numbers_and_shown_channel_by_channel():
    samples = torch.tensor([-2.0, 0.0, 2.0, 4.0]).reshape(1, 4, 1, 1).expand(1, 4, 8, 16).clone()
    found = Latent(samples, "sd1").inspect(16)
    assert dict(found.facts) == {
        "shape": "1 x 4 x 8 x 16",
        "dtype": "float32",
        "mean": "1",
        "std": "2.236",
        "norm": "55.43",
        "min": "-2",
        "max": "4",
        "in pixels": "128 x 64",
        "compression": "48 times fewer numbers than the pixels",
    }
    assert (found.histogram.low, found.histogram.high, sum(found.histogram.counts)) == (-2.0, 4.0, 512)
    assert [shown.label for shown in found.pictures] == [f"channel {number}" for number in (1, 2, 3, 4)]
    colours = [opened(shown).getpixel((0, 0)) for shown in found.pictures]
    assert colours[3] == (180, 4, 38)
    assert colours[1] == (221, 221, 221)
    assert colours[0][2] > colours[0][0]


def test_a_batch_says_which_picture_and_shows_no_more_than_is_asked_for():
    found = Latent(torch.randn(8, 4, 4, 4), "other").inspect(6)
    assert [shown.label for shown in found.pictures][3:] == [
        "picture 1, channel 4",
        "picture 2, channel 1",
        "picture 2, channel 2",
    ]
    assert not {"in pixels", "compression"} & {fact.name for fact in found.facts}


def test_numbers_that_are_none_are_counted_and_spoil_nothing():
    samples = torch.ones(1, 1, 2, 2)
    samples[0, 0, 0] = torch.tensor([float("nan"), float("inf")])
    found = Latent(samples, "sd1").inspect(16)
    assert dict(found.facts)["not finite"] == "2 of 4 numbers"
    assert dict(found.facts)["mean"] == "1"
    assert (found.histogram.low, found.histogram.high, sum(found.histogram.counts)) == (0.5, 1.5, 2)
    lost = Latent(torch.full((1, 1, 2, 2), float("nan")), "sd1").inspect(16)
    assert "mean" not in dict(lost.facts)
    assert lost.histogram is None
    assert len(lost.pictures) == 1


def test_a_distribution_shows_means_and_deviations():
    distribution = LatentDistribution(torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 4, 4), 1.0, 0.0, "pocket")
    found = distribution.inspect(3)
    assert dict(found.facts)["deviations"] == "1 to 1"
    assert dict(found.facts)["mean of the means"] == "0"
    assert dict(found.facts)["compression"].startswith("96 times")
    assert [shown.label for shown in found.pictures] == ["mean, channel 1", "mean, channel 2", "deviation, channel 1"]


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float64"])
def test_any_precision_can_be_looked_at(kind):
    assert facts(Latent(torch.ones(1, 4, 2, 2, dtype=getattr(torch, kind)), "sd1"))["dtype"] == kind


def test_pictures_are_shown_small():
    found = Image(torch.rand(3, 3, 600, 1200)).inspect(2)
    told = dict(found.facts)
    assert (told["size"], told["pictures"], told["shape"]) == ("1200 x 600", "3", "3 x 3 x 600 x 1200")
    assert [(shown.label, opened(shown).size) for shown in found.pictures] == [
        ("picture 1 of 3", (512, 256)),
        ("picture 2 of 3", (512, 256)),
    ]


def test_a_small_picture_keeps_its_size():
    (shown,) = Image(torch.zeros(1, 3, 4, 6)).inspect(16).pictures
    assert opened(shown).size == (6, 4)


def test_a_mask_says_how_much_it_covers():
    coverage = torch.zeros(1, 1, 4, 4)
    coverage[..., :1] = 1
    found = Mask(coverage).inspect(16)
    assert dict(found.facts)["covers"] == "25.0%"
    assert opened(found.pictures[0]).mode == "L"


def test_parts_of_models_and_settings_say_what_they_are(tiny):
    assert facts(VAE(tiny)) == {"model": tiny.name, "kind": "sd-32x4", "class": "StableDiffusionPipeline"}
    conditioning = facts(Conditioning({"prompt_embeds": torch.zeros(1, 77, 32)}, TextEncoder(tiny), "a fox"))
    assert (conditioning["text"], conditioning["shape"]) == ("a fox", "1 x 77 x 32")
    assert facts(Scheduler("Euler", "sd1", {}, {"timestep_spacing": "leading"})) == {
        "scheduler": "Euler",
        "timestep_spacing": "'leading'",
    }
    assert facts(BlankLatent(64, 32, 2)) == {"size": "64 x 32", "pictures": "2"}


def test_looking_changes_nothing(tiny):
    latent = Latent(torch.randn(1, 4, 8, 8), "sd1")
    before = latent.digest()
    assert isinstance(latent, Inspectable)
    inspect_value([latent, latent])
    assert latent.digest() == before


def test_what_comes_beside_an_encoded_prompt_is_named(tiny):
    tensors = {"pooled_prompt_embeds": torch.zeros(1, 16), "prompt_embeds": torch.ones(1, 7, 4)}
    found = facts(Conditioning(tensors, TextEncoder(tiny), None))
    assert (found["text"], found["mean"], found["pooled_prompt_embeds"]) == ("", "1", "1 x 16")
    assert facts(Conditioning({}, TextEncoder(tiny), "x")) == {"text": "x"}


def test_a_video_s_latent_is_shown_frame_by_frame():
    found = Latent(torch.randn(1, 4, 3, 8, 8), "sd1").inspect(16)
    assert len(found.pictures) == 12
    assert dict(found.facts)["in pixels"] == "64 x 64"


def test_directions_and_noise_levels_say_what_they_are():
    assert len(Direction(torch.randn(1, 4, 8, 8), "sd1").inspect(16).pictures) == 4
    assert facts(Sigmas((14.0, 1.0, 0.0), "sd1")) == {"steps": "2", "from": "14", "to": "0"}
