"""Parts without weights: refused where they are used, and nowhere else."""

import shutil
from dataclasses import replace

import pytest
import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.bare import check_reading, check_vae, check_words
from nodes.diffusion.disk.source import survey, survey_rest
from nodes.diffusion.weights.loading import load_part


def stripped(source, name):
    """The model without the weights of a part."""
    return source.with_part(replace(source.parts[name], weights=()))


def refusal(act, *given):
    with pytest.raises(PatchbayError) as caught:
        act(*given)
    assert caught.value.code is Code.BAD_MODEL
    return caught.value


def test_what_is_used_needs_weights_and_what_is_not_does_not(tiny):
    blind, mute = stripped(tiny, "vae"), stripped(tiny, "text_encoder")
    check_words(blind, "at")
    check_vae(mute, "at")
    error = refusal(check_vae, blind, "vae")
    assert (error.at, "no weights for its vae" in error.what, "LoadVAE" in error.fix) == ("vae", True, True)
    error = refusal(check_words, mute, "text_encoder")
    assert (error.at, "LoadTextEncoder" in error.fix) == ("text_encoder", True)


def test_models_that_always_read_pictures_need_their_vae_for_sampling(tiny):
    blind = stripped(tiny, "vae")
    check_reading(blind, "model")
    check_reading(replace(blind, pipeline_class="FluxKontextPipeline"), "model")
    refusal(check_reading, replace(blind, pipeline_class="QwenImageEditPipeline"), "model")


def test_a_part_without_weights_is_never_made_up(tiny):
    error = refusal(load_part, stripped(tiny, "unet"), "unet", torch.device("cpu"), torch.float32)
    assert error.fix == "Put them into that folder."


def test_only_what_wiring_can_bring_may_be_missing_beside_a_file(tiny_folder, broken):
    for name in ("vae", "text_encoder"):
        for file in (broken / name).glob("*.safetensors"):
            file.unlink()
    rest = survey_rest(broken, {"unet"}, "at")
    assert {name for name, part in rest.parts.items() if part.bare} == {"unet", "vae", "text_encoder"}
    (broken / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    assert "good as the `config`" in refusal(survey_rest, broken, (), "at").fix
    (broken / "vae" / "diffusion_pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(PatchbayError, match="is a pickle"):
        survey_rest(broken, {"unet"}, "at")
    shutil.rmtree(broken / "vae")
    with pytest.raises(PatchbayError, match='has no folder "vae"'):
        survey_rest(broken, {"unet"}, "at")
    assert not any(part.bare for part in survey(tiny_folder, at="at").parts.values())
