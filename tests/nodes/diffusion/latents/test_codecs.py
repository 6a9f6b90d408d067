from types import SimpleNamespace

import diffusers
import pytest
import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.latents import codecs
from tests.nodes.diffusion.tiny import vaes


def test_a_plain_vae_shifts_and_scales_by_one_number():
    assert codecs.scale_of(vaes.flow(), SimpleNamespace(name="x")) == (0.1159, 0.3611)
    assert codecs.scale_of(vaes.kl(), SimpleNamespace(name="x")) == (0.0, 0.18215)


def test_a_vae_of_many_statistics_shifts_and_scales_each_channel():
    shift, scale = codecs.scale_of(vaes.qwen(), SimpleNamespace(name="x"))
    samples = torch.randn(1, 4, 2, 2)
    ours = (samples - codecs.per_channel(shift, samples)) * codecs.per_channel(scale, samples)
    mean, std = torch.tensor([0.0, 0.1, 0.2, 0.3]), torch.tensor([1.0, 1.5, 2.0, 2.5])
    assert torch.equal(ours, (samples - mean.view(1, -1, 1, 1)) * (1.0 / std).view(1, -1, 1, 1))
    assert codecs.per_channel(shift, torch.zeros(1, 4, 1, 2, 2)).shape == (1, 4, 1, 1, 1)


def test_a_vae_that_does_something_else_says_so():
    with pytest.raises(PatchbayError) as caught:
        codecs.scale_of(vaes.flux2(), SimpleNamespace(name="x"))
    assert caught.value.code is Code.UNSUPPORTED_CLASS


@torch.no_grad()
def test_a_picture_is_a_video_of_one_frame_to_a_vae_for_videos():
    mean, logvar = codecs.distribution(vaes.qwen().eval(), torch.randn(1, 3, 16, 16))
    assert mean.shape == logvar.shape == (1, 4, 1, 4, 4)


@torch.no_grad()
def test_a_vae_without_a_distribution_has_no_variance():
    mean, logvar = codecs.distribution(vaes.dc().eval(), torch.randn(1, 3, 16, 16))
    assert isinstance(vaes.dc(), diffusers.AutoencoderDC)
    assert mean.shape == (1, 4, 8, 8)
    assert logvar.unique().tolist() == [-30.0]
