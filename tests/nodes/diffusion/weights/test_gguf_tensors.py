"""Text encoders in GGUF files, under the names of the format's own package."""

import re

import pytest
import torch
from safetensors.torch import load_file

from engine import Code, PatchbayError, Paths, Settings
from nodes import encode_text, load_model, load_text_encoder
from nodes.diffusion.weights.loading import load_part
from tests.nodes.diffusion.tiny import ggufs
from tests.nodes.diffusion.tiny.table import build

CPU = torch.device("cpu")

NAMES = [
    ("shared", "token_embd"),
    ("encoder.block.", "enc.blk."),
    ("encoder.final_layer_norm", "enc.output_norm"),
    ("layer.0.SelfAttention.relative_attention_bias", "attn_rel_b"),
    ("layer.0.SelfAttention.", "attn_"),
    ("layer.0.layer_norm", "attn_norm"),
    ("layer.1.layer_norm", "ffn_norm"),
    ("layer.1.DenseReluDense.wi_0", "ffn_gate"),
    ("layer.1.DenseReluDense.wi_1", "ffn_up"),
    ("layer.1.DenseReluDense.wo", "ffn_down"),
]
"""What Transformers and the files of T5 encoders call the same tensors."""


def renamed(tensors):
    found = {}
    for name, tensor in tensors.items():
        theirs = name
        for pattern, other in QWEN if any("mlp" in each for each in tensors) else NAMES:
            theirs = re.sub(pattern, other, theirs)
        found[theirs] = tensor
    return {name: tensor for name, tensor in found.items() if name != "encoder.embed_tokens.weight"}


QWEN = [
    (r"^(?:model\.)?embed_tokens", "token_embd"),
    (r"^(?:model\.)?layers\.", "blk."),
    (r"^(?:model\.)?norm", "output_norm"),
    (r"self_attn\.([qk])_norm", r"attn_\1_norm"),
    (r"self_attn\.([qkv])_proj", r"attn_\1"),
    (r"self_attn\.o_proj", "attn_output"),
    (r"mlp\.(\w+)_proj", r"ffn_\1"),
    (r"input_layernorm", "attn_norm"),
    (r"post_attention_layernorm", "ffn_norm"),
    (r"^lm_head", "output"),
]
"""The same of Qwen 3."""


@pytest.fixture(scope="module", params=["StableDiffusion3Pipeline", "WanPipeline", "ZImagePipeline"])
def model(request, tmp_path_factory):
    """Models with a T5, a UMT5 and a Qwen 3, each with the encoder's tensors as a GGUF file has them."""
    folder = tmp_path_factory.mktemp("gguf") / "model"
    build(request.param, folder)
    name = "text_encoder_3" if request.param.startswith("Stable") else "text_encoder"
    (file,) = (folder / name).glob("*.safetensors")
    return folder, name, renamed(load_file(file))


def flat(value):
    """A tensor, or the one of a list: some models take prompts of different lengths."""
    return value[0] if isinstance(value, list) else value


def loaded(model, path):
    folder, name, _ = model
    encoder = load_text_encoder(load_model(model=folder).text_encoder, file=path)
    return load_part(encoder.source, name, CPU, torch.float32).state_dict()


def test_an_encoder_in_whole_numbers_is_the_folder_s(model, tmp_path):
    folder, name, tensors = model
    assert all(re.match(r"(enc\.)?blk\.|token_embd|(enc\.)?output", each) for each in tensors)
    ggufs.write(tmp_path / "a.gguf", tensors, "F32")
    own = load_part(load_model(model=folder).text_encoder.source, name, CPU, torch.float32).state_dict()
    ours = loaded(model, tmp_path / "a.gguf")
    assert ours.keys() == own.keys()
    assert all(torch.equal(ours[key], own[key]) for key in own)


def test_a_quantised_encoder_is_near_and_encodes(model, tmp_path):
    folder, name, tensors = model
    ggufs.write(tmp_path / "a.gguf", tensors, "Q8_0")
    whole = load_model(model=folder).text_encoder
    encoder = load_text_encoder(whole, file=tmp_path / "a.gguf")
    ours, own = (load_part(each.source, name, CPU, torch.float32).state_dict() for each in (encoder, whole))
    assert not all(torch.equal(ours[key], own[key]) for key in own)
    assert all(torch.allclose(ours[key], own[key], atol=float(own[key].abs().max()) / 100) for key in own)
    said, plain = (flat(encode_text(each, "a red fox").tensors["prompt_embeds"]) for each in (encoder, whole))
    assert torch.allclose(said, plain, atol=0.2)


def test_one_that_lacks_a_tensor_is_refused_rather_than_made_up(model, tmp_path):
    tensors = {name: tensor for name, tensor in model[2].items() if "ffn_gate" not in name}
    ggufs.write(tmp_path / "a.gguf", tensors, "F32")
    with pytest.raises(PatchbayError, match="weights do not fit"):
        loaded(model, tmp_path / "a.gguf")


def test_it_is_listed_among_text_encoders_and_one_of_other_sizes_is_refused(model, tmp_path):
    tensors = model[2]
    (tmp_path / "clip").mkdir()
    ggufs.write(tmp_path / "clip" / "t5.gguf", {**tensors, "token_embd.weight": torch.ones(7, 8)}, "F32")
    port = load_text_encoder.inputs["file"].resource
    paths = Paths(models=(tmp_path,))
    assert [choice.name for choice in port.choices(paths, Settings())] == ["clip/t5.gguf"]
    assert port.resolve("clip/t5.gguf", paths, Settings(), "file") == tmp_path / "clip" / "t5.gguf"
    with pytest.raises(PatchbayError) as caught:
        loaded(model, tmp_path / "clip" / "t5.gguf")
    assert (caught.value.code, caught.value.at) == (Code.KIND_MISMATCH, "file")
