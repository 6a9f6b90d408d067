"""Tensors in eight bits with scales beside them, as ComfyUI's files have them, old and new."""

import json

import torch

OLD, NEW, ROWS = "old", "new", "rows"


def scaled(tensors, form, prefix=""):
    """The matrices in eight bits with one scale each, or one a row; and what their numbers are."""
    stored, meant = {}, dict(tensors)
    for name, tensor in tensors.items():
        layer = name.removesuffix(".weight")
        if tensor.ndim != 2 or layer == name:
            stored[name] = tensor.contiguous()
            continue
        largest = tensor.abs().amax(1, keepdim=True) if form == ROWS else tensor.abs().amax()
        scale = (largest / 448).float()
        small = (tensor / scale).to(torch.float8_e4m3fn)
        stored[name], meant[name] = small, small.float() * scale
        stored[f"{layer}.{'scale_weight' if form == OLD else 'weight_scale'}"] = scale
        stored[f"{layer}.{'scale_input' if form == OLD else 'input_scale'}"] = torch.ones(())
        if form != OLD:
            told = json.dumps({"format": "float8_e4m3fn"}).encode()
            stored[f"{layer}.comfy_quant"] = torch.tensor([*told], dtype=torch.uint8)
    if form == OLD:
        stored[f"{prefix}scaled_fp8"] = torch.empty(0, dtype=torch.float8_e4m3fn)
    return stored, {name: tensor.contiguous() for name, tensor in meant.items()}
