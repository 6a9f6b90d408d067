"""Random LoRAs for tiny models, in the spellings of Diffusers and of kohya's scripts."""

import torch
from safetensors.torch import save_file

from nodes.diffusion.memory.shelf import SHELF

DENOISER = ("to_q", "to_k", "to_v", "to_out.0", "conv1")
TEXT = ("q_proj", "v_proj", "out_proj", "fc1")


def is_encoder(source, name):
    return source.parts[name].class_name.startswith(("CLIPTextModel", "AnimaTextConditioner"))


def weights(source, *, rank=4, seed=0, text=True, dtype=torch.float32):
    """What a LoRA of this model holds: part -> layer -> (down, up)."""
    generator = torch.Generator().manual_seed(seed)
    names = [*source.family.denoisers, *(name for name in source.parts if text and is_encoder(source, name))]
    found = {}
    for name in names:
        with SHELF.use(source, name) as module:
            for layer, each in module.named_modules():
                if hasattr(each, "weight") and layer.endswith(DENOISER if name in source.family.denoisers else TEXT):
                    shape = each.weight.shape
                    down = torch.randn(rank, *shape[1:], generator=generator) * 0.1
                    up = torch.randn(shape[0], rank, *[1] * (len(shape) - 2), generator=generator) * 0.1
                    found.setdefault(name, {})[layer] = (down.to(dtype), up.to(dtype))
    return found


def save(found, path):
    """As PEFT and Diffusers write it."""
    pairs = [(f"{part}.{layer}", *pair) for part, layers in found.items() for layer, pair in layers.items()]
    downs = {f"{layer}.lora_A.weight": down for layer, down, _ in pairs}
    save_file({**downs, **{f"{layer}.lora_B.weight": up for layer, _, up in pairs}}, path)
    return path


def save_kohya(found, path, alpha=2.0):
    """As kohya's scripts write it, with an alpha for each layer."""
    prefixes = {"unet": "lora_unet_", "text_encoder": "lora_te1_", "text_encoder_2": "lora_te2_"}
    if "text_encoder_2" not in found:
        prefixes["text_encoder"] = "lora_te_"
    tensors = {}
    for part, layers in found.items():
        for layer, (down, up) in layers.items():
            old = f"text_model.{layer}" if part != "unet" and not layer.startswith("text_model") else layer
            name = prefixes[part] + old.replace(".", "_")
            tensors |= {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}
            tensors[f"{name}.alpha"] = torch.tensor(alpha)
    save_file(tensors, path)
    return path
