"""Random IP-Adapters for tiny models, and an image encoder that they read."""

import torch
import transformers
from safetensors.torch import save_file

from nodes.diffusion.memory.shelf import SHELF

SIDE, HIDDEN, PROJECTION = 32, 24, 16


def save_encoder(folder, seed=5):
    """A CLIP image encoder of random weights."""
    torch.manual_seed(seed)
    config = transformers.CLIPVisionConfig(
        hidden_size=HIDDEN,
        projection_dim=PROJECTION,
        intermediate_size=37,
        num_hidden_layers=3,
        num_attention_heads=4,
        image_size=SIDE,
        patch_size=8,
    )
    transformers.CLIPVisionModelWithProjection(config).save_pretrained(folder)
    return folder


def weights(source, kind="plain", seed=0):
    """The weights of an adapter for a tiny model: plain or plus, or in the spelling of those for FLUX."""
    made = torch.Generator().manual_seed(seed)
    name = source.family.denoisers[0]
    with SHELF.use(source, name) as denoiser:
        if name == "transformer":
            return _of_flux(denoiser, made)
        cross = denoiser.config.cross_attention_dim
        found = _plus(cross, made) if kind == "plus" else _plain(cross, made)
        readers = [key for key in denoiser.attn_processors if "attn2" in key]
        for number, key in enumerate(readers):
            wide = denoiser.get_submodule(key.removesuffix(".processor")).to_q.out_features
            for half in ("k", "v"):
                found[f"ip_adapter.{2 * number + 1}.to_{half}_ip.weight"] = _drawn(made, wide, cross)
        return found


def _drawn(made, *shape):
    return torch.randn(*shape, generator=made) * 0.3


def _plain(cross, made, start="image_proj"):
    return {
        f"{start}.proj.weight": _drawn(made, 4 * cross, PROJECTION),
        f"{start}.proj.bias": _drawn(made, 4 * cross),
        f"{start}.norm.weight": torch.ones(cross),
        f"{start}.norm.bias": torch.zeros(cross),
    }


def _plus(cross, made):
    inner, heads = 16, 64
    found = {
        "latents": _drawn(made, 1, 5, inner),
        "proj_in.weight": _drawn(made, inner, HIDDEN),
        "proj_in.bias": _drawn(made, inner),
        "proj_out.weight": _drawn(made, cross, inner),
        "proj_out.bias": _drawn(made, cross),
        "norm_out.weight": torch.ones(cross),
        "norm_out.bias": torch.zeros(cross),
    }
    for layer in (f"layers.{number}" for number in range(4)):
        found |= {f"{layer}.0.{norm}.weight": torch.ones(inner) for norm in ("norm1", "norm2")}
        found |= {f"{layer}.0.{norm}.bias": torch.zeros(inner) for norm in ("norm1", "norm2")}
        found |= {f"{layer}.0.to_q.weight": _drawn(made, heads, inner)}
        found |= {f"{layer}.0.to_kv.weight": _drawn(made, 2 * heads, inner)}
        found |= {f"{layer}.0.to_out.weight": _drawn(made, inner, heads)}
        found |= {f"{layer}.1.0.weight": torch.ones(inner), f"{layer}.1.0.bias": torch.zeros(inner)}
        found |= {f"{layer}.1.1.weight": _drawn(made, 4 * inner, inner)}
        found |= {f"{layer}.1.3.weight": _drawn(made, inner, 4 * inner)}
    return {f"image_proj.{name}": tensor for name, tensor in found.items()}


def _of_flux(denoiser, made):
    cross, wide = denoiser.config.joint_attention_dim, denoiser.inner_dim
    found = _plain(cross, made, "ip_adapter_proj_model")
    for number in range(len(denoiser.transformer_blocks)):
        for half in ("k", "v"):
            start = f"double_blocks.{number}.processor.ip_adapter_double_stream_{half}_proj"
            found |= {f"{start}.weight": _drawn(made, wide, cross), f"{start}.bias": _drawn(made, wide)}
    return found


def save(path, tensors):
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)
    return path
