"""Pictures become latents, and latents pictures, as in the stock pipeline."""

from dataclasses import replace

import pytest
import torch

from engine.errors import PatchbayError
from nodes.diffusion import autoencoding
from nodes.types import VAE, Image, Latent


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
