"""Pictures become latents, and latents pictures, as in the stock pipeline."""

from contextlib import ExitStack
from dataclasses import replace

import pytest
import torch

from engine.errors import PatchbayError
from nodes.diffusion.latents import autoencoding, codecs
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.pictures.pixels import to_pillow
from nodes.diffusion.text.picturing import Likely
from nodes.types import VAE, Image, Latent, Video
from tests.nodes.diffusion.tiny import exact


def test_seeds_give_a_latent_each(source, picture):
    found = autoencoding.encode_image(VAE(source), picture)
    drawn = autoencoding.sample_distribution(found, [1, 5]).samples
    assert len(drawn) == 4
    first = replace(found, mean=found.mean[:1], logvar=found.logvar[:1])
    assert torch.equal(drawn[1:2], autoencoding.sample_distribution(first, [5]).samples)
    with pytest.raises(PatchbayError):
        autoencoding.sample_distribution(found, [])


@pytest.mark.parametrize("batch", [1, 2])
def test_decoding_is_the_stock_pipeline_s(source, stock, encoded, batch):
    latent = Latent(encoded.samples[:batch], encoded.kind)
    pipeline = stock(source, "DDIM")
    with torch.no_grad():
        raw = pipeline.vae.decode(latent.samples / pipeline.vae.config.scaling_factor, return_dict=False)[0]
    theirs = pipeline.image_processor.postprocess(raw, output_type="pt")
    pixels = autoencoding.decode(VAE(source), latent).pixels
    assert torch.equal(pixels, theirs)
    assert pixels.dtype is torch.float32


def test_a_picture_of_the_wrong_size_is_refused(source):
    with pytest.raises(PatchbayError, match="multiples of"):
        autoencoding.encode_image(VAE(source), Image(torch.zeros(1, 3, 61, 64)))


def test_a_video_becomes_one_latent_of_all_its_frames(family):
    source = family("WanPipeline")
    found = autoencoding.encode_video(VAE(source), Video(torch.rand(5, 3, 32, 48), 8.0))
    assert autoencoding.sample_distribution(found).samples.shape == (1, 16, 2, 4, 6)
    assert autoencoding.sample_distribution(found, [1, 2]).samples.shape == (2, 16, 2, 4, 6)


@pytest.mark.parametrize(("frames", "height"), [(6, 32), (5, 33)])
def test_a_video_that_would_be_cut_is_refused(family, frames, height):
    with pytest.raises(PatchbayError, match=r"Cut the video, for instance to 5\.|multiples of"):
        autoencoding.encode_video(VAE(family("WanPipeline")), Video(torch.zeros(frames, 3, height, 32), 8.0))


def test_a_model_of_pictures_encodes_no_video(source):
    with pytest.raises(PatchbayError, match="VideoToImages"):
        autoencoding.encode_video(VAE(source), Video(torch.zeros(1, 3, 64, 64), 8.0))


def test_a_side_that_the_pipeline_would_bring_to_another_is_refused(family):
    """Lumina 2 works on two latent numbers at once, so on twice the VAE's multiples."""
    vae = VAE(family("Lumina2Pipeline"))
    with pytest.raises(PatchbayError, match=r"8 x 8 pixels cannot be encoded.*multiples of 16"):
        autoencoding.encode_image(vae, Image(torch.rand(1, 3, 8, 8)))


@pytest.mark.parametrize("name", ["IFPipeline", "PRXPixelPipeline"])
def test_what_works_on_pixels_takes_pictures_as_they_are(family, name):
    source = family(name)
    picture = Image((torch.rand(2, 3, 32, 48) * 255).round() / 255)
    latent = autoencoding.sample_distribution(autoencoding.encode_image(VAE(source), picture))
    assert torch.equal(latent.samples, 2 * picture.pixels - 1)
    assert torch.allclose(autoencoding.decode(VAE(source), latent).pixels, picture.pixels, atol=1e-6)


@torch.no_grad()
def test_kandinsky_s_pictures_are_from_black_to_white(family):
    """Its stock pipelines give tensors from -1 to 1, and files from 0 to 1."""
    source = family("Kandinsky3Pipeline")
    latent = Latent(torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1)), source.kind)
    found = autoencoding.decode(VAE(source), latent).pixels
    with SHELF.use(source, "movq") as movq:
        raw = movq.decode(latent.samples, force_not_quantize=True).sample
    assert torch.equal(found, (raw / 2 + 0.5).clamp(0, 1))
    assert found.min() >= 0


@pytest.mark.parametrize("name", ["Flux2KleinPipeline", "HunyuanImageRefinerPipeline"])
def test_latents_that_a_pipeline_folds_are_those_that_its_class_encodes(family, name):
    source = family(name)
    picture, latent = exact.picture_of(source, 1)
    with ExitStack() as held, torch.no_grad():
        pipeline = exact.stock_pipeline(held, source)
        pipeline.vae = Likely(pipeline.vae)
        pixels = pipeline.image_processor.preprocess(to_pillow(picture.pixels[0]))
        pixels = pixels.unsqueeze(2) if "Refiner" in name else pixels
        theirs = pipeline._encode_vae_image(pixels, None)
    assert torch.equal(latent.samples, theirs.squeeze(2) if theirs.ndim == 5 else theirs)


def test_what_a_vae_normalises_itself_is_unfolded_again_where_the_pipeline_wants_that(family):
    klein, fibo = family("Flux2KleinPipeline"), family("BriaFibo2Pipeline")
    assert exact.picture_of(klein, 1)[1].samples.shape[1] == 16
    assert exact.picture_of(fibo, 1)[1].samples.shape[1] == 4


def test_a_vae_that_sees_opacity_is_shown_opaque_pictures(family):
    source = family("QwenImage21Pipeline")
    picture, latent = exact.picture_of(source, 1)
    with SHELF.use(source, "vae") as vae, torch.no_grad():
        opaque = torch.cat([picture.pixels * 2 - 1, torch.ones_like(picture.pixels[:, :1])], 1)
        mean = vae.encode(opaque.unsqueeze(2)).latent_dist.mode()
        shift, scaling = codecs.scale_of(vae, source)
    ours = latent.samples / codecs.per_channel(scaling, latent.samples) + codecs.per_channel(shift, latent.samples)
    assert torch.allclose(ours, mean[:, :, 0], atol=1e-5)


def test_what_is_not_opaque_lies_on_white():
    colours = torch.tensor([0.2, 0.4, 0.6])
    pictures = torch.stack([torch.cat([colours, torch.tensor([opacity])]) for opacity in (1.0, 0.5, 0.0)])
    found = autoencoding.on_white(pictures.view(3, 4, 1, 1)).view(3, 3)
    assert torch.allclose(found, torch.stack([colours, (colours + 1) / 2, torch.ones(3)]))
    assert torch.equal(found[0], colours)
