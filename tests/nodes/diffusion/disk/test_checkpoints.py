from pathlib import Path

import pytest

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.checkpoints import recognise, whole
from nodes.diffusion.disk.headers import Header

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


def checkpoint_of(shapes):
    header = Header(shapes)
    return whole(recognise(header), Path("x.safetensors"), header, "load.model")


def refusal(shapes):
    with pytest.raises(PatchbayError) as caught:
        checkpoint_of(shapes)
    assert caught.value.at == "load.model"
    assert caught.value.fix
    return caught.value.code, caught.value.what


def test_a_checkpoint_tells_its_family_and_kind():
    found = checkpoint_of(SD)
    assert (found.kind, found.pipeline_class, found.sizes) == ("sd1", "StableDiffusionPipeline", (768, 4))
    found = checkpoint_of(XL)
    assert (found.kind, found.pipeline_class) == ("sdxl", "StableDiffusionXLPipeline")
    assert list(found.parts) == ["text_encoder", "text_encoder_2", "unet", "vae"]
    refiner = {name: shape for name, shape in XL.items() if ".embedders.1." not in name}
    found = checkpoint_of({**refiner, TO_K: (768, 1280), "conditioner.embedders.0.model.x": (1,)})
    assert (found.kind, list(found.parts)) == ("sdxl-refiner", ["text_encoder_2", "unet", "vae"])


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("lora_unet_down_blocks_0.lora_down.weight", "a LoRA"),
        ("transformer.blocks.0.attn.lora_A.weight", "a LoRA"),
        ("unet.x.lora.up.weight", "a LoRA"),
        ("lycoris_x.hada_w1_a", "a LoRA"),
        ("control_model.input_blocks.0.0.weight", "a ControlNet"),
        ("controlnet_cond_embedding.conv_in.weight", "a ControlNet"),
        ("audio_patchify_proj.weight", "the transformer of LTX-2"),
        ("vace_blocks.0.weight", "the transformer of a Wan for editing"),
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


FLUX = {
    "double_blocks.0.img_attn.norm.key_norm.scale": (128,),
    "double_blocks.18.x": (1,),
    "single_blocks.0.x": (1,),
    "img_in.weight": (3072, 64),
    "txt_in.weight": (3072, 4096),
    "vector_in.in_layer.weight": (3072, 768),
}
SD3 = {
    "joint_blocks.0.context_block.adaLN_modulation.1.bias": (4,),
    "joint_blocks.0.x_block.attn.ln_q.weight": (4,),
    "joint_blocks.1.x_block.attn2.qkv.weight": (4, 4),
    "x_embedder.proj.weight": (4, 16, 2, 2),
    "context_embedder.weight": (4, 4096),
    "y_embedder.mlp.0.weight": (4, 2048),
}


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
@pytest.mark.parametrize(
    ("shapes", "kind", "counts"),
    [
        (FLUX, "flux", {"num_layers": 2, "num_single_layers": 1, "guidance_embeds": 0}),
        (
            {**FLUX, "guidance_in.in_layer.bias": (1,)},
            "flux",
            {"num_layers": 2, "num_single_layers": 1, "guidance_embeds": 1},
        ),
        (SD3, "sd3", {"num_layers": 2, "dual_attention_layers": 1, "qk_norm": 1}),
    ],
)
def test_a_transformer_tells_its_kind_and_what_it_has(prefix, shapes, kind, counts):
    found = checkpoint_of({f"{prefix}{name}": shape for name, shape in shapes.items()})
    assert (found.kind, found.parts, dict(found.counts)) == (kind, {"transformer": prefix}, counts)
    assert "weights" in found.needs


FLUX2 = "double_stream_modulation_img.lin.weight"


@pytest.mark.parametrize(
    ("shapes", "kind"),
    [
        (
            {"distilled_guidance_layer.in_proj.weight": (1,), "txt_in.weight": (1, 4096), "img_in.weight": (1, 64)},
            "chroma",
        ),
        (
            {"transformer_blocks.0.img_mod.1.weight": (1,), "txt_in.weight": (1, 3584), "img_in.weight": (1, 64)},
            "qwen-image",
        ),
        ({"cap_pad_token": (1,), "cap_embedder.1.weight": (1, 2560), "x_embedder.weight": (1, 64)}, "z-image"),
        ({"head.modulation": (1,), "text_embedding.0.weight": (1, 4096), "head.head.weight": (64, 1)}, "wan"),
        ({"head.modulation": (1,), "text_embedding.0.weight": (1, 4096), "head.head.weight": (192, 1)}, "wan-5b"),
        ({"caption_projection.linear_1.weight": (1, 4096), "patchify_proj.weight": (2048, 128)}, "ltx"),
        ({FLUX2: (1,), "txt_in.weight": (1, 15360), "img_in.weight": (1, 128)}, "flux2"),
        ({FLUX2: (1,), "txt_in.weight": (1, 7680), "img_in.weight": (1, 128)}, "flux2-klein"),
        ({FLUX2: (1,), "txt_in.weight": (1, 12288), "img_in.weight": (1, 128)}, "flux2-klein-9b"),
        (
            {
                "txt_in.individual_token_refiner.blocks.0.norm1.weight": (1,),
                "txt_in.input_embedder.weight": (1, 4096),
                "vector_in.in_layer.weight": (1, 768),
                "img_in.proj.weight": (1, 16, 1, 2, 2),
            },
            "hunyuan-video",
        ),
        (
            {
                "context_refiner.0.attention.qkv.weight": (1,),
                "cap_embedder.1.weight": (1, 2304),
                "x_embedder.weight": (1, 64),
            },
            "lumina2",
        ),
        (
            {
                "double_layers.0.attn.w1q.weight": (1,),
                "cond_seq_linear.weight": (1, 2048),
                "init_x_linear.weight": (1, 16),
            },
            "aura-flow",
        ),
        (
            {
                "double_stream_blocks.0.block.attn1.to_q_t.weight": (1,),
                "caption_projection.0.linear.weight": (1, 4096),
                "caption_projection.48.linear.weight": (1, 4096),
                "x_embedder.proj.weight": (1, 64),
            },
            "hidream",
        ),
        ({"txtfusion.projector.weight": (1, 12), "txtmlp.1.weight": (1, 2560), "first.weight": (1, 64)}, "krea2"),
    ],
)
def test_transformers_of_the_sizes_that_are_known_have_the_kinds_of_their_folders(shapes, kind):
    assert checkpoint_of(shapes).kind == kind


@pytest.mark.parametrize("part", ["cond_stage_model", "first_stage_model"])
def test_a_checkpoint_that_lacks_a_part_is_refused(part):
    code, what = refusal({name: shape for name, shape in SD.items() if not name.startswith(part)})
    assert code is Code.BAD_MODEL
    assert "holds no weights for the" in what


@pytest.mark.parametrize(
    "name", ["img_in.weight_scale_2", "double_blocks.0.img_attn.qkv.scale_weight", "img_in.weight.absmax"]
)
def test_quantised_weights_are_refused_by_what_lies_beside_them(name):
    code, what = refusal({**FLUX, name: (1,)})
    assert code is Code.UNSUPPORTED_CLASS
    assert "quantised" in what


def test_how_a_part_is_stored_that_is_not_read_does_not_matter():
    shapes = {f"model.diffusion_model.{name}": shape for name, shape in FLUX.items()}
    assert checkpoint_of({**shapes, "text_encoders.t5xxl.x.scale_weight": (1,)}).kind == "flux"


@pytest.mark.parametrize(("precision", "fine"), [("F16", True), ("F8_E4M3", True), ("U8", False), ("I8", False)])
def test_quantised_weights_are_refused_by_their_precision(precision, fine):
    header = Header(FLUX, dict.fromkeys(FLUX, (precision, 1)))
    if fine:
        assert whole(recognise(header), Path("x"), header, "at").kind == "flux"
        return
    with pytest.raises(PatchbayError, match="quantised"):
        whole(recognise(header), Path("x"), header, "at")


def test_a_checkpoint_for_inpainting_is_refused():
    shapes = {**SD, FIRST: (320, 9, 3, 3), "first_stage_model.post_quant_conv.weight": (4, 4, 1, 1)}
    code, what = refusal(shapes)
    assert code is Code.UNSUPPORTED_CLASS
    assert "9 input channels for latents of 4" in what
