from types import SimpleNamespace

import diffusers
import pytest
import torch

from engine.errors import PatchbayError
from nodes.diffusion.families.families import FAMILIES
from nodes.diffusion.stages import layouts


def bare(name, **attributes):
    """A pipeline of a class without its parts: the functions that pack need none."""
    pipeline = object.__new__(getattr(diffusers, name))
    for attribute, value in attributes.items():
        object.__setattr__(pipeline, attribute, value)
    return pipeline


@pytest.mark.parametrize("name", ["FluxPipeline", "ChromaPipeline", "QwenImagePipeline", "OvisImagePipeline"])
def test_packed_latents_come_back_as_they_were(name):
    pipeline = bare(name, vae_scale_factor=8)
    samples = torch.randn(2, 16, 4, 6)
    tokens = layouts.pack(pipeline, samples)
    assert tokens.shape == (2, 6, 64)
    assert torch.equal(layouts.unpack(pipeline, tokens, layouts.size_of(pipeline, samples)), samples)
    assert layouts.multiple(pipeline) == 16


def test_packed_videos_come_back_as_they_were():
    pipeline = bare(
        "LTXPipeline",
        vae_spatial_compression_ratio=32,
        vae_temporal_compression_ratio=8,
        transformer_spatial_patch_size=1,
        transformer_temporal_patch_size=1,
    )
    samples = torch.randn(1, 8, 3, 2, 4)
    size = layouts.size_of(pipeline, samples)
    assert size == layouts.Size(128, 64, 17)
    assert torch.equal(layouts.unpack(pipeline, layouts.pack(pipeline, samples), size), samples)


def test_folded_latents_come_back_from_tokens():
    pipeline = bare("Flux2Pipeline", vae_scale_factor=8)
    samples = torch.randn(2, 128, 2, 3)
    assert layouts.pack(pipeline, samples) is samples
    tokens = pipeline._pack_latents(samples)
    assert torch.equal(layouts.unpack(pipeline, tokens, layouts.size_of(pipeline, samples)), samples)
    assert layouts.factor(pipeline) == 16


def test_videos_that_count_frames_first_are_turned():
    pipeline = bare("CogVideoXPipeline", vae_scale_factor_spatial=8, vae_scale_factor_temporal=4)
    samples = torch.randn(1, 16, 3, 2, 2)
    assert layouts.pack(pipeline, samples).shape == (1, 3, 16, 2, 2)
    assert torch.equal(layouts.unpack(pipeline, layouts.pack(pipeline, samples), layouts.Size(16, 16, 9)), samples)
    assert layouts.size_of(pipeline, samples).frames == 9


def test_plain_latents_stay_as_they_are():
    pipeline, samples = SimpleNamespace(vae_scale_factor=8), torch.randn(1, 4, 2, 2)
    assert layouts.pack(pipeline, samples) is samples
    assert layouts.unpack(pipeline, samples, layouts.Size(16, 16)) is samples


def maker(name, least=1):
    """As much of a pipeline of 16 latent channels as the checks ask."""
    vae = SimpleNamespace(first_integer=lambda _: 16)
    family = SimpleNamespace(pipeline_class=name, decoder="vae", least_frames=least)
    source = SimpleNamespace(family=family, parts={"vae": vae})
    return SimpleNamespace(source=source, vae_scale_factor_temporal=4)


def test_frames_are_those_that_the_model_makes():
    for frames in (1, 5, 81):
        layouts.check_frames(maker("WanPipeline"), frames)
    with pytest.raises(PatchbayError, match=r"makes 1, 5, 9 and so on.*for instance to 9"):
        layouts.check_frames(maker("WanPipeline"), 8)
    with pytest.raises(PatchbayError, match=r"5 frames are too few .* at least 17"):
        layouts.check_frames(maker("Kandinsky5I2VPipeline", 17), 5)
    with pytest.raises(PatchbayError, match="makes pictures, and 5 frames are a video"):
        layouts.check_frames(maker("FluxPipeline"), 5)


def test_latents_have_the_channels_and_dimensions_of_the_family():
    layouts.check_shape(maker("WanPipeline"), torch.zeros(1, 16, 1, 4, 4))
    layouts.check_shape(maker("FluxPipeline"), torch.zeros(1, 16, 4, 4))
    for name, shape in (
        ("WanPipeline", (1, 16, 4, 4)),
        ("FluxPipeline", (1, 16, 1, 4, 4)),
        ("FluxPipeline", (1, 4, 4, 4)),
    ):
        with pytest.raises(PatchbayError, match="does not fit a model of 16 channels"):
            layouts.check_shape(maker(name), torch.zeros(shape))


def test_pictures_and_videos_with_channels_last_are_turned():
    pictures = bare("Kandinsky5T2IPipeline", vae_scale_factor_spatial=8, transformer=SimpleNamespace(visual_cond=False))
    samples = torch.randn(2, 16, 4, 6)
    assert layouts.pack(pictures, samples).shape == (2, 1, 4, 6, 16)
    assert torch.equal(layouts.unpack(pictures, layouts.pack(pictures, samples), layouts.Size(48, 32)), samples)


def test_a_video_model_that_reads_a_first_frame_is_given_an_empty_one():
    held = {"vae_scale_factor_spatial": 8, "vae_scale_factor_temporal": 4}
    videos = bare("Kandinsky5T2VPipeline", **held, transformer=SimpleNamespace(visual_cond=True))
    samples = torch.randn(1, 16, 3, 4, 6)
    packed = layouts.pack(videos, samples)
    assert packed.shape == (1, 3, 4, 6, 33)
    assert not packed[..., 16:].any()
    assert torch.equal(layouts.unpack(videos, packed[..., :16], layouts.Size(48, 32, 9)), samples)


def test_tokens_that_no_function_makes_are_the_folded_numbers():
    pipeline = bare("Ideogram4Pipeline", vae_scale_factor=8)
    samples = torch.randn(2, 128, 2, 3)
    tokens = layouts.pack(pipeline, samples)
    assert tokens.shape == (2, 6, 128)
    assert torch.equal(layouts.unpack(pipeline, tokens, layouts.size_of(pipeline, samples)), samples)


def test_tokens_that_are_single_numbers_come_back_as_they_were():
    pipeline = bare("BriaFiboPipeline", vae_scale_factor=16)
    samples = torch.randn(2, 48, 2, 3)
    tokens = layouts.pack(pipeline, samples)
    assert tokens.shape == (2, 6, 48)
    assert torch.equal(layouts.unpack(pipeline, tokens, layouts.Size(48, 32)), samples)
    assert layouts.multiple(pipeline) == 16


def test_a_folding_that_the_pipeline_counts_is_counted_once():
    assert layouts.factor(bare("ErnieImagePipeline", vae_scale_factor=16)) == 16


def test_a_size_that_the_pipeline_would_replace_is_refused():
    pipeline = SimpleNamespace(resolutions=[(1024, 1024), (640, 1408)])
    layouts.check_known(pipeline, layouts.Size(640, 1408))
    with pytest.raises(PatchbayError, match="Choose one of 1024 x 1024, 640 x 1408"):
        layouts.check_known(pipeline, layouts.Size(512, 512))


def test_a_size_that_is_not_listed_is_refused():
    processor = SimpleNamespace(get_default_height_width=lambda _, height, width: (max(height, 64), width))
    pipeline = SimpleNamespace(vae_image_processor=processor)
    layouts.check_known(pipeline, layouts.Size(32, 64))
    with pytest.raises(PatchbayError, match="no pictures of 64 x 32") as caught:
        layouts.check_known(pipeline, layouts.Size(64, 32))
    assert "64 x 64" in caught.value.fix


def test_a_number_of_frames_that_a_transformer_does_not_know_is_refused():
    source = SimpleNamespace(family=FAMILIES["LattePipeline"])
    transformer = SimpleNamespace(config={"video_length": 16})
    pipeline = SimpleNamespace(source=source, transformer=transformer)
    for frames in (1, 16):
        layouts.check_frames(pipeline, frames)
    with pytest.raises(PatchbayError, match="videos of 16 frames, not of 8"):
        layouts.check_frames(pipeline, 8)
