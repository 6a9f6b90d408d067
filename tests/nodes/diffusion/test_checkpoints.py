from pathlib import Path

import pytest

from engine.errors import Code, PatchbayError
from nodes.diffusion.checkpoints import checkpoint_of, recognise
from nodes.diffusion.headers import Header

TO_K = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
FIRST = "model.diffusion_model.input_blocks.0.0.weight"
SD = {TO_K: (320, 768), FIRST: (320, 4, 3, 3), "cond_stage_model.x": (1,), "first_stage_model.x": (1,)}
XL = {
    TO_K: (640, 2048),
    FIRST: (320, 4, 3, 3),
    "conditioner.embedders.0.x": (1,),
    "conditioner.embedders.1.x": (1,),
    "first_stage_model.x": (1,),
}


def refusal(shapes):
    with pytest.raises(PatchbayError) as caught:
        checkpoint_of(Path("x.safetensors"), Header(shapes), "load.model")
    assert caught.value.at == "load.model"
    assert caught.value.fix
    return caught.value.code, caught.value.what


def test_a_checkpoint_tells_its_family_and_kind():
    found = checkpoint_of(Path("x"), Header(SD), "at")
    assert (found.kind, found.pipeline_class, found.sizes) == ("sd1", "StableDiffusionPipeline", (768, 4))
    found = checkpoint_of(Path("x"), Header(XL), "at")
    assert (found.kind, found.pipeline_class) == ("sdxl", "StableDiffusionXLPipeline")
    assert list(found.parts) == ["text_encoder", "text_encoder_2", "unet", "vae"]


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("lora_unet_down_blocks_0.lora_down.weight", "a LoRA"),
        ("transformer.blocks.0.attn.lora_A.weight", "a LoRA"),
        ("unet.x.lora.up.weight", "a LoRA"),
        ("lycoris_x.hada_w1_a", "a LoRA"),
        ("control_model.input_blocks.0.0.weight", "a ControlNet"),
        ("controlnet_cond_embedding.conv_in.weight", "a ControlNet"),
        ("conditioner.embedders.0.model.ln_final.weight", "the checkpoint of an SDXL refiner"),
        ("joint_blocks.0.context_block.adaLN_modulation.1.bias", "the transformer of SD 3"),
        ("model.diffusion_model.joint_blocks.0.context_block.adaLN_modulation.1.bias", "the transformer of SD 3"),
        ("double_blocks.0.img_attn.norm.key_norm.scale", "the transformer of FLUX.1"),
        ("double_stream_modulation_img.lin.weight", "the transformer of FLUX.2"),
        ("distilled_guidance_layer.in_proj.weight", "the transformer of Chroma"),
        ("decoder.conv_in.weight", "a VAE"),
        ("text_model.embeddings.token_embedding.weight", "a text encoder"),
        ("emb_params", "a textual inversion"),
    ],
)
def test_other_files_are_called_by_what_they_hold(name, holds):
    assert recognise(Header({name: (4, 4)})).holds == holds
    code, what = refusal({name: (4, 4)})
    assert code is Code.UNSUPPORTED_CLASS
    assert f"holds {holds};" in what


@pytest.mark.parametrize(
    "shapes", [{}, {"color": (1,)}, {FIRST: (320, 4, 3, 3)}, {TO_K: (320, 768)}, {**SD, FIRST: (4,)}]
)
def test_what_is_not_known_is_not_guessed(shapes):
    assert recognise(Header(shapes)) is None
    assert refusal(shapes)[0] is Code.UNSUPPORTED_CLASS


@pytest.mark.parametrize("part", ["cond_stage_model", "first_stage_model"])
def test_a_checkpoint_that_lacks_a_part_is_refused(part):
    code, what = refusal({name: shape for name, shape in SD.items() if not name.startswith(part)})
    assert code is Code.BAD_MODEL
    assert "holds no weights for the" in what


def test_a_checkpoint_for_inpainting_is_refused():
    shapes = {**SD, FIRST: (320, 9, 3, 3), "first_stage_model.post_quant_conv.weight": (4, 4, 1, 1)}
    code, what = refusal(shapes)
    assert code is Code.UNSUPPORTED_CLASS
    assert "9 input channels for latents of 4" in what
