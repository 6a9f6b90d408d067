"""Stock pipeline classes that can be stopped between their stages, and what is known of each from its signature.

A stage is the stock `__call__` itself, with a hand on three things it does: it encodes prompts (recorded once, given
back ever after), it asks its scheduler for timesteps (a shim), and it starts its loop. Nothing of a family is written
down here: names come from the pipeline's own source, defaults from its signature.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
import textwrap
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import torch

from nodes.diffusion.families.blocks import is_modular
from nodes.diffusion.stages import modular, own_guiders
from nodes.diffusion.weights.libraries import diffusers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import CodeType

    from nodes.types import Conditioning, Role

_ENCODERS = ("encode_prompt", "_encode_prompt")
"""The methods by which pipelines turn words into tensors; the first that a class has counts."""

_BESIDE_PICTURES = "encode_prompt_multiple_images"
"""The method by which some do that where pictures are read."""

_GUIDANCES = ("guidance_scale", "true_cfg_scale", "max_guidance_scale", "distilled_guidance_scale")
"""What pipelines call the strength of their guidance, the first that is there counts."""

_UNUSED_ARGUMENTS = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


class Reached(BaseException):  # a pipeline may catch any Exception
    """A stage has what it wanted; the rest of the stock call is not run."""


def stop() -> None:
    """End the stock call here."""
    raise Reached


def stop_with(latents: torch.Tensor) -> None:
    """End the stock call here, with these latents as what it gives."""
    raise Reached(latents)


class Prompts(Protocol):
    """What stands in for the encoding of prompts."""

    def __call__(self, names: Names, encode: Callable[[], Any]) -> Any:  # noqa: ANN401
        """The result of an encoder whose values the pipeline will call `names`."""
        ...

    def loop(self) -> None:
        """The denoising loop begins."""
        ...


@dataclass(frozen=True, slots=True)
class Names:
    """What a pipeline calls the results of its encoder; `several` says that it takes a tuple apart."""

    names: tuple[str, ...]
    several: bool


@dataclass(slots=True)
class Recorder:
    """Lets the encoders work, keeps what they give under its names, and ends the call where denoising would begin."""

    found: dict[str, Any] = field(default_factory=dict)

    def __call__(self, names: Names, encode: Callable[[], Any]) -> Any:  # noqa: ANN401
        """What the encoder gives, remembered."""
        result = encode()
        values = tuple(result) if names.several else (result,)
        self.found.update(zip(names.names, values, strict=False))
        return result

    def loop(self) -> None:
        """The denoising loop begins, so everything is encoded."""
        raise Reached


@dataclass(frozen=True, slots=True)
class Replay:
    """Gives encoded prompts where a pipeline would encode them, as often as the batch is large.

    `joined` names the roles whose prompts a guided pipeline wants as one, in order.
    """

    positive: Mapping[str, Any]
    negative: Mapping[str, Any] | None
    batch: int
    place: torch.device
    precision: torch.dtype
    axes: Mapping[str, int | None] = field(default_factory=dict)
    joined: tuple[Role, ...] = ()

    def __call__(self, names: Names, encode: Callable[[], Any]) -> Any:  # noqa: ANN401, ARG002  # nothing is encoded
        """What was encoded before."""
        values = tuple(self.value(name) for name in names.names)
        return values if names.several else values[0]

    def loop(self) -> None:
        """The denoising loop begins."""

    def value(self, name: str) -> Any:  # noqa: ANN401
        """What was encoded under a name, as often as the batch is large."""
        positive = _positive(name)
        if self.joined and self.negative is not None and name in self.positive:
            of_role = {"positive": self.positive, "negative": self.negative}
            return torch.cat([self._repeated(name, of_role[role][name]) for role in self.joined])
        given = self.positive if positive == name else self.negative
        if given is None:
            return None
        return self._repeated(positive, given.get(positive))

    def _repeated(self, name: str, value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, (list, tuple)):
            if name in self.axes:
                return type(value)(self._repeated(name, item) for item in value)
            return type(value)(self._placed(item) for item in value) * self.batch
        if not isinstance(value, torch.Tensor):
            return value
        axis = self.axes.get(name, None if name.endswith("ids") and value.ndim == 2 else 0)  # noqa: PLR2004
        value = self._placed(value)
        return value if axis is None or self.batch == 1 else torch.cat([value] * self.batch, axis)

    def _placed(self, value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, (list, tuple)):
            return type(value)(self._placed(item) for item in value)
        if not isinstance(value, torch.Tensor):
            return value
        return value.to(self.place, self.precision if value.is_floating_point() else value.dtype)


@dataclass(frozen=True, slots=True)
class Blank:
    """Gives zeros where a pipeline would encode prompts, for a stage that never looks at them."""

    batch: int
    place: torch.device
    precision: torch.dtype
    width: int = 8
    pooled: int = 1

    def __call__(self, names: Names, encode: Callable[[], Any]) -> Any:  # noqa: ANN401, ARG002  # nothing is encoded
        """Zeros under these names."""
        values = tuple(self._value(name) for name in names.names)
        return values if names.several else values[0]

    def loop(self) -> None:
        """The denoising loop begins."""

    def _value(self, name: str) -> torch.Tensor | list[torch.Tensor] | None:
        if name != _positive(name):
            return None
        if "mask" in name:
            return torch.ones(self.batch, 8, dtype=torch.long, device=self.place)
        if name in {"position_ids", "segment_ids"}:
            return torch.zeros(self.batch, 8, dtype=torch.long, device=self.place)
        if name.endswith("ids"):
            return torch.zeros(8, 3, device=self.place, dtype=self.precision)
        if name.endswith("layers"):
            return [torch.zeros(self.batch, 8, self.width, device=self.place, dtype=self.precision)]
        shape = (self.batch, self.pooled) if "pooled" in name else (self.batch, 8, self.width)
        return torch.zeros(shape, device=self.place, dtype=self.precision)


@dataclass(frozen=True)
class Signature:
    """The arguments of a stock pipeline's call and their defaults."""

    defaults: Mapping[str, Any]

    def __contains__(self, name: str) -> bool:
        return name in self.defaults

    @property
    def takes_negative(self) -> bool:
        """Whether a negative prompt can be given at all."""
        return any(name.startswith(("negative_prompt", "negative_image_embeds")) for name in self.defaults)

    @property
    def guidance(self) -> str | None:
        """What `guidance` is called here.

        A family whose true guidance is on by default means that one. Where it is off by default, the model was
        distilled and reads a number of its own, which the pipeline calls `guidance_scale`.
        """
        if (self.defaults.get("true_cfg_scale") or 0) > 1:
            return "true_cfg_scale"
        return next((name for name in _GUIDANCES if name in self.defaults), None)

    @property
    def negative_is_optional(self) -> bool:
        """Whether guidance stays off until a negative prompt is given."""
        return "true_cfg_scale" in self.defaults

    def only(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Those of `arguments` that the call has, over every default spelled out."""
        return {**self.defaults, **{name: value for name, value in arguments.items() if name in self.defaults}}


def class_of(name: str) -> Any:  # noqa: ANN401
    """The stock pipeline class `name`, or what makes the modular one look like it where there is no other."""
    return modular.as_stock(name) if is_modular(name) else getattr(diffusers, name)


@cache
def signature(name: str) -> Signature:
    """The signature of the stock pipeline class `name`."""
    parameters = inspect.signature(class_of(name).__call__).parameters.values()
    return Signature(
        {
            parameter.name: None if parameter.default is parameter.empty else parameter.default
            for parameter in parameters
            if parameter.name != "self" and parameter.kind not in _UNUSED_ARGUMENTS
        }
    )


def is_guided(pipeline: Any, guidance: float, options: Mapping[str, object]) -> bool:  # noqa: ANN401
    """Whether the pipeline would work against a negative prompt: most do above 1, but some above 0.

    `options` are further arguments of the call. One that has guiders in place of a number is asked for what they want.
    """
    if hasattr(pipeline, "guider"):
        return own_guiders.is_guided(pipeline)
    if not isinstance(getattr(type(pipeline), "do_classifier_free_guidance", None), property):
        return guidance > 1
    call = signature(type(pipeline).__name__)
    for name, value in call.only(options).items():  # where the property reads them, and where the call sets them
        if name.endswith("guidance_scale"):
            setattr(pipeline, f"_{name}", guidance if value is None else value)
    pipeline._guidance_scale = guidance  # noqa: SLF001
    return bool(pipeline.do_classifier_free_guidance)


@cache
def draws_over(name: str) -> bool:
    """Whether the stock pipeline class `name` begins with a picture: it takes no latents and makes none of noise."""
    return "latents" not in signature(name) and not hasattr(class_of(name), "prepare_intermediate_images")


@cache
def made_with(name: str) -> Mapping[str, Any]:
    """The arguments of the constructor of the stock pipeline class `name` and their defaults; None where none is."""
    parameters = inspect.signature(class_of(name).__init__).parameters.values()
    return {
        parameter.name: None if parameter.default is parameter.empty else parameter.default
        for parameter in parameters
        if parameter.name != "self" and parameter.kind not in _UNUSED_ARGUMENTS
    }


def encoders(stock: type) -> list[str]:
    """The methods by which a stock pipeline class turns words into tensors."""
    return [
        *[name for name in _ENCODERS if hasattr(stock, name)][:1],
        *[name for name in (_BESIDE_PICTURES,) if hasattr(stock, name)],
    ]


@cache
def reads_words(name: str) -> bool:
    """Whether the stock pipeline class `name` encodes prompts."""
    return bool(encoders(class_of(name)))


@cache
def staged(name: str) -> Any:  # noqa: ANN401
    """The stock pipeline class `name`, told where it runs, with its prompts and its loop open to a hand."""
    stock = class_of(name)
    place = property(lambda self: self.place)
    members: dict[str, Any] = {"device": place, "_execution_device": place, "progress_bar": _progress_bar(stock)}
    for method, begun in _PREPARING.items():
        if hasattr(stock, method):
            members |= {method: _latents(getattr(stock, method), begun), begun: None}
    for method in encoders(stock):
        members[method] = _encoder(getattr(stock, method))
    if hasattr(stock, "generate_prior_tokens"):
        members["generate_prior_tokens"] = _first_tokens(stock.generate_prior_tokens)
    return type(name, (stock,), members)


def _encoder(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        if own := getattr(self, "encodes", None):
            names: Names | None = Names(own, several=True)
        else:
            frame = sys._getframe(1)  # noqa: SLF001  # who takes the result, and by which names
            names = _targets(frame.f_code, frame.f_lineno, method.__name__) or _returned(method)
        return self.prompts(names, lambda: method(self, *args, **kwargs))

    return call


_PREPARING = {
    "prepare_latents": "begun",
    "prepare_intermediate_images": "begun",
    "prepare_audio_latents": "begun_sound",
}
"""The methods by which pipelines make their first latents, and the attributes for those that are put in their place."""


def _latents(method: Callable[..., Any], name: str = "begun") -> Callable[..., Any]:
    """What makes the first latents of a pipeline, with those in place that a run begins with, if any: its `name`."""
    signature = inspect.signature(method)

    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        begun = getattr(self, name)
        if begun is None:
            return method(self, *args, **kwargs)
        if "latents" not in signature.parameters:  # it makes them of a picture
            return begun
        given = signature.bind(self, *args, **kwargs)
        given.arguments |= {"latents": None, "generator": torch.Generator("cpu")}  # the run's own draw nothing here
        made = method(*given.args, **given.kwargs)
        return (begun, *made[1:]) if isinstance(made, tuple) else begun

    return call


def _first_tokens(method: Callable[..., Any]) -> Callable[..., Any]:
    """What lets a language model draw the tokens of a picture first, none in stages that have no such model.

    It seeds and asks PyTorch's global generators, which are as before afterwards.
    """

    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        if self.vision_language_encoder is None:
            return torch.zeros(1, 1, dtype=torch.long, device=self.place), None, None
        with torch.random.fork_rng([self.place] if self.place.type == "cuda" else []):
            return method(self, *args, **kwargs)

    return call


def _progress_bar(stock: Any) -> Callable[..., Any]:  # noqa: ANN401
    @functools.wraps(stock.progress_bar)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        self.prompts.loop()
        return stock.progress_bar(self, *args, **kwargs)

    return call


@cache
def _targets(code: CodeType, line: int, method: str) -> Names | None:
    """The names in the assignment at `line` of `code` that calls `method`; None where there is no such assignment."""
    lines, first = inspect.getsourcelines(code)
    tree = ast.parse(textwrap.dedent("".join(lines)))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign) or not _calls(node.value, method):
            continue
        if node.lineno <= line - first + 1 <= (node.end_lineno or node.lineno):
            return _names(node.targets[0])
    return None


@cache
def _returned(method: Callable[..., Any]) -> Names:
    """The names that `method` returns its results by."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(method)))
    returns = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value is not None]
    return _names(returns[-1])


def _names(node: ast.expr) -> Names:
    if isinstance(node, (ast.Tuple, ast.List)):
        return Names(tuple(ast.unparse(each) for each in node.elts), several=True)
    return Names((ast.unparse(node),), several=False)


def _calls(node: ast.expr, method: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method


def _positive(name: str) -> str:
    """What a value of a negative prompt is called for a positive one."""
    return name.removeprefix("negative_").removeprefix("uncond_")


def of_role(found: Mapping[str, Any], role: Role) -> dict[str, Any]:
    """Of recorded results, those of the prompt in a role, spelled as a positive prompt's.

    A pipeline without negatives encodes a prompt of either role in the same way.
    """
    against = role == "negative" and any(name != _positive(name) for name in found if found[name] is not None)
    chosen = {_positive(name): value for name, value in found.items() if (name != _positive(name)) is against}
    return {name: value for name, value in chosen.items() if value is not None and name != "_"}


def conditionings(given: Iterable[Conditioning[Any] | None]) -> dict[str, Any]:
    """The options of the stock call that the conditionings were made with."""
    return {name: value for each in given if each is not None for name, value in each.options.items()}
