"""Another VAE for the same latents: found out about without weights, refused where it reads others."""

import diffusers
import pytest
import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.vaes import check_space, survey_vae, swapped
from nodes.diffusion.latents import autoencoding
from nodes.types import VAE, Image, Latent
from tests.nodes.diffusion.tiny import vaes


def saved(module, folder):
    module.save_pretrained(folder)
    return folder


def tiny_vae(levels=3, channels=4):
    widths = (8,) * levels
    return diffusers.AutoencoderTiny(
        encoder_block_out_channels=widths,
        decoder_block_out_channels=widths,
        num_encoder_blocks=(1,) * levels,
        num_decoder_blocks=(1,) * levels,
        latent_channels=channels,
    )


@pytest.fixture
def small(tmp_path):
    torch.manual_seed(0)
    return saved(tiny_vae(), tmp_path / "small")


def test_a_tiny_vae_decodes_as_the_stock_pipeline_with_it(tiny, small):
    latent = Latent(torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0)), tiny.kind)
    source = swapped(tiny, survey_vae(small, "folder"), "folder")
    ours = autoencoding.decode(VAE(source), latent).pixels
    module = diffusers.AutoencoderTiny.from_pretrained(small)
    with torch.no_grad():
        theirs = (module.decode(latent.samples / module.config.scaling_factor).sample / 2 + 0.5).clamp(0, 1)
    assert ours.shape == (2, 3, 32, 32)
    assert torch.allclose(ours, theirs, atol=1e-5)
    assert not torch.equal(ours, autoencoding.decode(VAE(tiny), latent).pixels)


def test_a_tiny_vae_encodes(tiny, small):
    source = swapped(tiny, survey_vae(small, "folder"), "folder")
    found = autoencoding.encode_image(VAE(source), Image(torch.rand(1, 3, 32, 32)))
    assert found.mean.shape == (1, 4, 8, 8)
    assert found.logvar.max() == -30


def test_a_model_of_flow_matching_takes_one(family, tmp_path):
    flux = family("FluxPipeline")
    small = saved(tiny_vae(levels=2), tmp_path / "small")
    source = swapped(flux, survey_vae(small, "folder"), "folder")
    latent = Latent(torch.randn(1, 4, 16, 16), flux.kind)
    assert autoencoding.decode(VAE(source), latent).pixels.shape == autoencoding.decode(VAE(flux), latent).pixels.shape


def test_it_is_a_part_of_the_identity(tiny, small):
    source = swapped(tiny, survey_vae(small, "folder"), "folder")
    assert source != tiny
    assert source.digest != tiny.digest
    assert source.parts["vae"].folder == small


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda: tiny_vae(channels=16), "latent channels 16"),
        (lambda: tiny_vae(levels=2), "levels 2"),
        (lambda: vaes.kl(levels=3, scaling_factor=0.13025), "scaling_factor 0.13025"),
        (vaes.dc, "is a AutoencoderDC"),
    ],
)
def test_a_vae_of_other_latents_is_refused(tiny, tmp_path, made, why):
    part = survey_vae(saved(made(), tmp_path / "other"), "folder")
    with pytest.raises(PatchbayError, match=why) as caught:
        swapped(tiny, part, "folder")
    assert caught.value.code is Code.KIND_MISMATCH


def test_what_is_no_vae_is_refused(tiny_folder, tmp_path):
    for folder, code in [
        (tmp_path / "none", Code.FILE_NOT_FOUND),
        (tmp_path, Code.BAD_MODEL),
        (tiny_folder / "unet", Code.UNSUPPORTED_CLASS),
    ]:
        with pytest.raises(PatchbayError) as caught:
            survey_vae(folder, "folder")
        assert caught.value.code is code
    assert survey_vae(tiny_folder / "vae", "folder").class_name == "AutoencoderKL"


def test_models_share_latents_where_their_vaes_are_alike(family, pocket):
    base, refiner = family("StableDiffusionXLPipeline"), family("StableDiffusionXLImg2ImgPipeline")
    check_space(base, refiner, "to")
    for other, why in ((pocket, "has .* and that of"), (family("WanPipeline"), "no other model is known to share")):
        with pytest.raises(PatchbayError, match=why) as caught:
            check_space(base, other, "to")
        assert (caught.value.code, caught.value.at) == (Code.KIND_MISMATCH, "to")
