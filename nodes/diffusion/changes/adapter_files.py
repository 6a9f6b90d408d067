"""What an IP-Adapter's file says of itself: names and shapes from its header, no tensor, no torch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import Code, PatchbayError
from nodes.diffusion.changes.patches import check_denoiser
from nodes.diffusion.disk.headers import Header, read_header
from nodes.diffusion.families.images import FLUX, SDXL, STABLE_DIFFUSION

if TYPE_CHECKING:
    from pathlib import Path

    from nodes.diffusion.disk.nets import NetSource
    from nodes.diffusion.disk.source import ModelSource

PREFIXES = {
    "ip_adapter_proj_model.": "image_proj",
    "image_proj.": "image_proj",
    "double_blocks.": "ip_adapter",
    "ip_adapter.": "ip_adapter",
}
"""How the names in a file start, and what Diffusers calls the half that they belong to."""

_ATTENDING = re.compile(r"(?:attn2\.to_k|^transformer_blocks\.\d+\.attn\.to_k)\.weight$")
_FIX = "Use an IP-Adapter of the model's own family."
NAMES = {STABLE_DIFFUSION.name, SDXL.name, FLUX.name}
"""The families that can see pictures through an adapter."""


@dataclass(frozen=True, slots=True)
class AdapterShape:
    """What an adapter fits: an image encoder of a `width`, a denoiser whose `layers` read texts of a width `text`.

    With `hidden` it reads what the encoder's last layer but one says, else the encoder's one vector for a picture.
    """

    width: int
    hidden: bool
    layers: int
    text: int


def adapter_shape(path: Path, at: str) -> AdapterShape:
    """The shape of the adapter in a file. Raises `pickled_model`, or `bad_model` for what is no IP-Adapter."""
    halves = _halves(read_header(path, at))
    image, attention = halves["image_proj"], halves["ip_adapter"]
    keys = [shape for name, shape in attention.items() if "k_ip" in name or "k_proj" in name if name.endswith("weight")]
    if not image or not keys:
        what = f"{path} is no IP-Adapter: it lacks the layers {'for pictures' if not image else 'beside attention'}."
        raise PatchbayError(Code.BAD_MODEL, at, what, "Name the .safetensors file of an IP-Adapter.")
    is_known = "proj.weight" in image or "proj.3.weight" in image
    if not is_known and ("norm.weight" in image or "perceiver_resampler.proj_in.weight" in image):
        what = f"{path} is a FaceID adapter, which reads vectors of a face recogniser and no pictures."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Use an IP-Adapter for pictures, such as plus-face.")
    for name, hidden in (("proj.weight", False), ("proj.0.weight", True), ("proj_in.weight", True)):
        if name in image:
            return AdapterShape(image[name][-1], hidden, len(keys), keys[0][-1])
    what = f"{path} is an IP-Adapter of a kind that is not known: its layers for pictures have other names."
    raise PatchbayError(Code.UNSUPPORTED_CLASS, at, what, "Use a plain, plus or full-face IP-Adapter.")


def _halves(header: Header) -> dict[str, dict[str, tuple[int, ...]]]:
    """The shapes in the two halves of a file, by the names that come after what tells the half."""
    halves: dict[str, dict[str, tuple[int, ...]]] = {"image_proj": {}, "ip_adapter": {}}
    for name, shape in header.shapes.items():
        for prefix, half in PREFIXES.items():
            if name.startswith(prefix):
                halves[half][name.removeprefix(prefix)] = shape
    return halves


def check_adapter(path: Path, source: ModelSource, at: str) -> None:
    """Refuse an adapter that was made for another model. Raises `bad_model`, `bad_value` for a family without."""
    check_denoiser(source, "model")
    if source.family.name not in NAMES:
        what = f"Diffusers lets a {source.family.pipeline_class} see no pictures through an IP-Adapter."
        raise PatchbayError(Code.BAD_VALUE, "model", what, "Use it with Stable Diffusion 1 or 2, SDXL or FLUX.1.")
    shape, part = adapter_shape(path, at), source.parts[source.family.denoisers[0]]
    wanted = part.first_integer(("cross_attention_dim", "joint_attention_dim"))
    if wanted is not None and shape.text != wanted:
        what = (
            f"{path} was made for another model: its layers read {shape.text} numbers, those of {source.name} {wanted}."
        )
        raise PatchbayError(Code.BAD_MODEL, at, what, _FIX)
    layers = sum(bool(_ATTENDING.search(name)) for name in part.shapes)
    if layers and layers != shape.layers:
        what = (
            f"{path} was made for another model: it has {shape.layers} layers, and {source.name} {layers} to put them."
        )
        raise PatchbayError(Code.BAD_MODEL, at, what, _FIX)


def check_encoder(path: Path, encoder: NetSource, at: str) -> AdapterShape:
    """The shape of an adapter. Raises `bad_model` for an image encoder that it was not trained with."""
    shape, config = adapter_shape(path, at), next(iter(encoder.parts.values()))
    key = "hidden_size" if shape.hidden else "projection_dim"
    given = config.integer(key, at)
    if given != shape.width:
        what = f"{path} reads {shape.width} numbers of an image encoder, and {encoder.path} gives {given}."
        raise PatchbayError(Code.BAD_MODEL, at, what, "Use the image encoder that the adapter came with.")
    return shape
