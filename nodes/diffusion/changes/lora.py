"""Low-rank additions to layers, computed beside the layers and never merged into them.

Names and scales are read by Diffusers' own loaders, so every format that they convert is read here. The sum is PEFT's:
layer(x) + B(A(x)) * strength * alpha / rank, addition by addition in the order of wiring, so it is bit for bit what a
stock pipeline gives after `load_lora_weights` and `set_adapters`. PEFT itself is not needed.
"""

from __future__ import annotations

import inspect
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from engine.context import say
from engine.errors import Code, PatchbayError
from nodes.diffusion.changes.patches import LoraPatch
from nodes.diffusion.weights.libraries import diffusers, loaders, peft_utils, state_dict_utils
from nodes.diffusion.weights.loading import skeleton

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nodes.diffusion.changes.patches import Patch
    from nodes.diffusion.disk.source import ModelSource

_DOWN, _UP = ".lora_A.weight", ".lora_B.weight"
_TEXT_RANKS = (".q_proj", ".k_proj", ".v_proj", ".out_proj", ".fc1", ".fc2")


@dataclass(frozen=True, slots=True)
class Addition:
    """What one LoRA adds to one layer: `down` [rank, in, ...], `up` [out, rank, ...], and a factor."""

    down: torch.Tensor
    up: torch.Tensor
    scale: float


class Additions:
    """A forward hook that adds, to what a layer gives, what the additions give."""

    def __init__(self, additions: list[Addition]) -> None:
        self._additions = additions

    def __call__(self, layer: torch.nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
        """The layer's result with the additions, in the layer's precision."""
        x, result = inputs[0], output
        for each in self._additions:
            x = x.to(each.down.dtype)
            result = result + _through(layer, x, each) * each.scale
        return result.to(output.dtype)


def _through(layer: Any, x: torch.Tensor, addition: Addition) -> torch.Tensor:  # noqa: ANN401  # linear or convolution
    if isinstance(layer, torch.nn.Conv2d):
        down = functional.conv2d(x, addition.down, None, layer.stride, layer.padding)
        return functional.conv2d(down, addition.up, groups=layer.groups)
    return functional.linear(functional.linear(x, addition.down), addition.up)


def add(module: Any, source: ModelSource, name: str, patches: Iterable[Patch]) -> None:  # noqa: ANN401
    """Add the LoRAs among `patches` to a module of their own, part `name` of a model. Raises `bad_model`."""
    found: dict[str, list[Addition]] = {}
    for patch in patches:
        if isinstance(patch, LoraPatch):
            for layer, addition in _additions(module, source, name, patch).items():
                found.setdefault(layer, []).append(addition)
    for layer, additions in found.items():
        module.get_submodule(layer).register_forward_hook(Additions(additions))


def _additions(module: Any, source: ModelSource, name: str, patch: LoraPatch) -> dict[str, Addition]:  # noqa: ANN401
    """What a LoRA adds to the layers of a module, by their names in it."""
    path, strength = patch.file.path, patch.strength_on(source, name)
    weights, config = _read(module, source, name, patch)
    layers = dict(module.named_modules())
    made, absent = {}, []
    for layer in [key.removesuffix(_DOWN) for key in weights if key.endswith(_DOWN)]:
        down, up = weights.pop(layer + _DOWN), weights.pop(layer + _UP, None)
        if layer not in layers:
            absent.append(layer)
            continue
        _check(path.name, layer, layers[layer], down, up)
        made[layer] = Addition(_like(layers[layer], down), _like(layers[layer], up), config.scale(layer, strength))
    if weights:
        what = f"{path} holds more than plain LoRA layers, for instance {next(iter(weights))}."
        raise PatchbayError(Code.BAD_MODEL, "file", what, "Use a LoRA without DoRA, LoKr, LoHa or biases.")
    if absent:
        say(f"{path.name} has {len(absent)} layers that the {name} does not have, for instance {absent[0]}.")
    return made


def _like(layer: Any, weight: torch.Tensor) -> torch.Tensor:  # noqa: ANN401  # linear or convolution
    """A weight where its layer is and in the layer's precision, which is what PEFT makes of it.

    A layer of quantised weights computes in another one than it stores.
    """
    return weight.to(layer.weight.device, getattr(layer, "compute_dtype", None) or layer.weight.dtype)


def _check(file: str, name: str, layer: Any, down: Any, up: Any) -> None:  # noqa: ANN401
    """Refuse an addition that does not fit its layer."""
    if not isinstance(layer, (torch.nn.Linear, torch.nn.Conv2d)):
        what = f"{file} adds to {name}, which is a {type(layer).__name__}; LoRA is known for Linear and Conv2d."
        raise PatchbayError(Code.BAD_MODEL, "file", what, "Use a LoRA of another kind.")
    is_linear = isinstance(layer, torch.nn.Linear)  # the weights of a quantised one have another shape
    shape = (layer.out_features, layer.in_features) if is_linear else tuple(layer.weight.shape)
    narrow = (len(down), *shape[1:]), (shape[0], len(down), *[1] * (len(shape) - 2))
    if up is None or (tuple(down.shape), tuple(up.shape)) != narrow:
        given = f"{tuple(down.shape)} and {'nothing' if up is None else tuple(up.shape)}"
        what = f"{file} does not fit {name}: {given} where the layer is {shape}."
        raise PatchbayError(Code.BAD_MODEL, "file", what, "Use a LoRA of the model's own family.")


@dataclass(frozen=True, slots=True)
class _Scaling:
    """How PEFT is told the scale of each layer: one rank and one alpha, and patterns of names with others."""

    rank: float
    alpha: float
    ranks: Mapping[str, float]
    alphas: Mapping[str, float]
    by_root: bool

    def scale(self, layer: str, strength: float) -> float:
        """The factor of a layer's addition; a product before a quotient, as PEFT computes it."""
        rank, alpha = _of(self.ranks, layer, self.rank), _of(self.alphas, layer, self.alpha)
        return strength * alpha / (rank**0.5 if self.by_root else rank)


def _of(patterns: Mapping[str, float], layer: str, usual: float) -> float:
    return next((value for key, value in patterns.items() if re.match(rf"(.*\.)?({key})$", layer)), usual)


def _read(module: Any, source: ModelSource, name: str, patch: LoraPatch) -> tuple[dict[str, Any], _Scaling]:  # noqa: ANN401
    """The weights that concern a part in PEFT's names, and how they are scaled, as the stock loader finds out."""
    with _explained(source, patch):
        state, alphas, metadata = _converted(source, patch)
        state, alphas = _below(name, state), _below(name, alphas or {})
        if not state:
            return {}, _Scaling(1, 1, {}, {}, by_root=False)
        is_text = source.family.is_text(name) and source.parts[name].library == "transformers"
        state = _of_text(module, state) if is_text else _of_denoiser(state)
        ranks = _ranks(module, state) if is_text else {f"^{key}": len(value[0]) for key, value in _ups(state)}
        settings = _below(name, metadata or {}) or peft_utils.get_peft_kwargs(ranks, alphas, state, is_unet=not is_text)
    ranks, alphas = (settings.get(key) or {} for key in ("rank_pattern", "alpha_pattern"))
    by_root = bool(settings.get("use_rslora"))
    return state, _Scaling(settings["r"], settings["lora_alpha"], ranks, alphas, by_root=by_root)


def _below(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(f"{prefix}."): value for key, value in values.items() if key.startswith(f"{prefix}.")}


def _ups(state: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    return ((key, value) for key, value in state.items() if key.endswith(_UP))


def _ranks(module: Any, state: Mapping[str, Any]) -> dict[str, int]:  # noqa: ANN401
    """The ranks of a text encoder's layers, in the order of its layers."""
    layers = (name for name, _ in module.named_modules() if name.endswith(_TEXT_RANKS) and name + _UP in state)
    return {name + _UP: state[name + _UP].shape[1] for name in layers}


def _of_denoiser(state: dict[str, Any]) -> dict[str, Any]:
    return state if "lora_A" in next(iter(state)) else dict(state_dict_utils.convert_unet_state_dict_to_peft(state))


def _of_text(module: Any, state: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    """PEFT's names; the layers of a newer encoder have no `text_model` in theirs."""
    found = state_dict_utils.convert_state_dict_to_peft(state_dict_utils.convert_state_dict_to_diffusers(state))
    prefix = "" if hasattr(module, "text_model") else "text_model."
    return {key.removeprefix(prefix): value for key, value in found.items()}


@contextmanager
def _explained(source: ModelSource, patch: LoraPatch) -> Iterator[None]:
    """Turn what Diffusers raises about a file into a `PatchbayError`."""
    try:
        yield
    except (PatchbayError, MemoryError):
        raise
    except Exception as error:  # the loaders raise whatever they like about a bad file
        what = f"{patch.file.path} cannot be read as a LoRA of a {source.family.pipeline_class}: {error}"
        raise PatchbayError(Code.BAD_MODEL, "file", what, "Use a LoRA of the model's own family.") from error


def _converted(
    source: ModelSource, patch: LoraPatch
) -> tuple[dict[str, Any], Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """The file's weights in the names of Diffusers, with alphas and PEFT's settings where the file has them."""
    pipeline = getattr(diffusers, source.family.pipeline_class)
    if not hasattr(pipeline, "lora_state_dict"):
        what = f"Diffusers reads no LoRA for a {source.family.pipeline_class}."
        raise PatchbayError(Code.UNSUPPORTED_CLASS, "file", what, "Use the model without it.")
    options: dict[str, Any] = {"use_safetensors": True, "local_files_only": True, "return_lora_metadata": True}
    if "return_alphas" in inspect.signature(pipeline.lora_state_dict).parameters:
        options["return_alphas"] = True
    if issubclass(pipeline, loaders.StableDiffusionXLLoraLoaderMixin):
        options["unet_config"] = skeleton(source.parts["unet"]).config
    state, *alphas, metadata = pipeline.lora_state_dict(str(patch.file.path), **options)
    return state, alphas[0] if alphas else None, metadata
