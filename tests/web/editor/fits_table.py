"""What the engine says of types, links and kinds, as a table that the browser's tests are held against."""

from __future__ import annotations

import json
import random
from enum import Enum
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar

from engine import Catalog, Graph, Kind, Lazy, Paths, Settings, node
from engine.catalog import describe
from engine.check import Checker
from engine.errors import Code
from engine.types import ANYTHING, Bindings, KindName, ListOf, Named, Var, fits, kinds_clash, parse, to_json, union
from engine.wiring import From

T = TypeVar("T")
N = TypeVar("N", int, float)
K = TypeVar("K", bound=Kind)
J = TypeVar("J", bound=Kind)
MODELS = {"small": "sd1", "large": "sdxl"}
MARKS = {"direct": "d", "wrap": "w", "map": "m", None: "-"}
DOCUMENTS = 100
CHAINS = 100


class Image:
    pass


class Photo(Image):
    pass


class Denoiser(Generic[K]):
    pass


class Latent(Generic[K]):
    pass


class NoisyLatent(Latent[K]):
    pass


class Adapter(Generic[K, J]):
    pass


class Color(Enum):
    RED = "red"
    BLUE = "blue"


ANNOTATIONS: tuple[Any, ...] = (
    str,
    int,
    float,
    bool,
    None,
    dict,
    Any,
    Literal["a"],
    Literal["a", "b"],
    Literal["b", "a", "c"],
    Literal[1],
    Literal[1, 2],
    Literal[True],
    Literal["a", 1],
    Literal["it's", 'a "word"', "both ' and \"", "line\nbreak"],
    Literal["a", "b", "c", "d", "e", "f", "g"],
    Color,
    Image,
    Photo,
    Denoiser[K],
    Latent[K],
    NoisyLatent[K],
    Latent[J],
    Adapter[K, J],
    T,
    N,
    K,
    list[str],
    list[int],
    list[float],
    list[Image],
    list[Photo],
    list[Latent[K]],
    list[T],
    list[Any],
    list[list[Image]],
    str | None,
    int | str,
    float | None,
    Image | None,
    Image | str,
    Latent[K] | None,
    Latent[K] | Image,
    T | None,
    list[Image] | None,
    Image | list[Image],
    list[T] | str,
    Literal["a", "b"] | Latent[K],
    Literal["a"] | int | None,
)


def all_types():
    """Types of every form, those that no annotation gives included."""
    sd1, sdxl = KindName("sd1"), KindName("sdxl")
    latents = [Named("Latent", (kind,)) for kind in (sd1, sdxl)]
    noisy = Named("NoisyLatent", (sdxl,), ("Latent",))
    more = [sd1, sdxl, *latents, noisy, ListOf(latents[0]), union([latents[0], parse(None)]), union(latents)]
    adapters = [Named("Adapter", (sd1, sdxl)), Named("Adapter", (sd1, Var("x.J", kind=True)))]
    scoped = [Var("x.T"), Named("Latent", (Var("x.K", kind=True),)), Named("Latent", (Var("y.K", kind=True),))]
    return [*map(parse, ANNOTATIONS), *more, *adapters, *scoped, ListOf(ANYTHING)]


class ModelName:
    """A model by name; `kinds_of` knows its kind."""

    noun = "model"

    def resolve(self, value, paths, settings, at):  # noqa: ARG002
        return value

    def digest(self, resolved):
        return resolved


def kinds_of(values):
    kind = MODELS.get(values.get("model"))
    return {"K": kind} if kind else {}


class Parts(NamedTuple, Generic[K]):
    model: Denoiser[K]
    latent: Latent[K]


class Halves(NamedTuple, Generic[T]):
    first: T
    rest: list[T]


@node("Load", kinds=kinds_of)
def load(*, model: Annotated[str, ModelName()]) -> Parts[K]: ...


@node("Sample")
def sample(
    model: Denoiser[K],
    latent: Latent[K],
    hint: Image | None = None,
    *,
    steps: int = 20,
    scheduler: Literal["a", "b"] = "a",
) -> Latent[K]: ...


@node("Decode")
def decode(latent: Latent[K], model: Denoiser[K] | None = None) -> Image: ...


@node("Mix")
def mix(latents: list[Latent[K]]) -> Latent[K]: ...


@node("Photograph")
def photograph(*, name: str = "fox") -> Photo: ...


@node("Sheet")
def sheet(images: list[Image], *, labels: list[str] = []) -> Image: ...  # noqa: B006  # a document's default


@node("Cut")
def cut(image: Image) -> list[Image]: ...


@node("Number")
def number(*, value: N) -> N: ...


@node("Text")
def text(*, text: str = "") -> str: ...


@node("Choose")
def choose(condition: bool, then: Lazy[T], otherwise: Lazy[T] | None = None) -> T: ...  # noqa: FBT001


@node("Collect")
def collect(items: list[T]) -> list[T]: ...


@node("Split")
def split(items: list[T]) -> Halves[T]: ...


@node("Turn", relay=True)
def turn(value: T) -> T: ...


NODES: tuple[Any, ...] = (load, sample, decode, mix, photograph, sheet, cut, number, text, choose, collect, split, turn)
WITH_KINDS = (sample, decode, mix) * 3
VALUES = {
    "Load.model": ["small", "large", "unknown"],
    "Sample.steps": [3, 4],
    "Sample.scheduler": ["a", "b"],
    "Number.value": [1, 1.5],
    "Text.text": ["a", "b", "c"],
    "Choose.condition": [True],
    "Choose.then": ["a", None, 2],
    "Collect.items": [["a"], ["a", "b"], []],
    "Split.items": [[1, 2.5]],
    "Sheet.labels": [["one"]],
}


def table(folder):
    """Everything as plain data. `folder` is one that exists; nothing is read from it."""
    types = all_types()
    return {
        "types": [{"type": to_json(type_), "label": str(type_)} for type_ in types],
        "fits": ["".join(MARKS[fits(one, other, Bindings())] for other in types) for one in types],
        "clashes": ["".join("x" if kinds_clash(one, other) else "-" for other in types) for one in types],
        "chains": [chain(random.Random(seed), types) for seed in range(CHAINS)],  # noqa: S311
        "models": [{"name": name, "kind": kind} for name, kind in MODELS.items()],
        "catalog": [describe(type_) for type_ in NODES],
        "graphs": [graph(random.Random(seed), folder) for seed in range(DOCUMENTS)],  # noqa: S311
    }


def chain(dice, types):
    """Some links of one graph, one after another: what one binds counts for the next."""
    bindings, steps = Bindings(), []
    generic = [place for place, type_ in enumerate(types) if "variable" in json.dumps(to_json(type_))]
    for _ in range(6):
        left, right = dice.choice(generic), dice.choice([*generic, *range(len(types))])
        if dice.random() < 1 / 2:
            left, right = right, left
        how = fits(types[left], types[right], bindings)
        known = [str(bindings.resolve(types[place])) for place in (left, right)]
        steps.append([left, right, MARKS[how], *known])
    return steps


def graph(dice, folder):
    """A graph of a few nodes, and what a check says of its links and ports."""
    nodes = {f"load_{model}": {"type": "Load", "inputs": {"model": model}} for model in MODELS}
    for number_ in range(dice.randint(3, 9)):
        type_ = dice.choice((*NODES, *WITH_KINDS))
        nodes[f"{type_.id.lower()}_{number_}"] = a_node(dice, type_, nodes)
    checker = Checker(Graph.from_data({"version": 1, "nodes": nodes}), Catalog.of(NODES), Paths(folder), Settings())
    checked = checker.check()
    mismatches = (Code.TYPE_MISMATCH, Code.KIND_MISMATCH)
    return {
        "nodes": nodes,
        "problems": {
            problem.at: {"clash": problem.code == Code.KIND_MISMATCH, "what": problem.what}
            for problem in checked.problems
            if problem.code in mismatches
        },
        "inputs": {
            f"{name}.{port}": str(checker.input_port(f"{name}.{port}").type)
            for name, checked_node in checked.nodes.items()
            for port in checked_node.type.inputs
        },
        "outputs": {f"{name}.{port}": str(checker.output_type(From(name, port))) for name, port in checked.types},
        "fits": {
            f"{name}.{port}": how
            for name, checked_node in checked.nodes.items()
            for port, how in checked_node.fit.items()
        },
    }


def a_node(dice, type_, before):
    """A node that takes what it can from those before it, without a look at the types."""
    outputs = [f"{name}.{port}" for name, other in before.items() for port in outputs_of(other["type"])]
    inputs = {}
    for port in type_.inputs.values():
        values = VALUES.get(f"{type_.id}.{port.name}", [])
        links = [{"link": path} for path in outputs]
        choice = dice.random()
        if links and choice < (0.3 if port.dial else 0.75):
            fitting = [link for link in links if likely(link["link"], port.type, before)] or links
            inputs[port.name] = dice.choice(fitting if dice.random() < 0.8 else links)
        elif links and choice < 0.85 and isinstance(port.type, ListOf):
            mixed = [*dice.choices(links, k=2), *dice.choice([[], *(value for value in values if value)])]
            inputs[port.name] = mixed
        elif values and (port.required or dice.random() < 1 / 2):
            inputs[port.name] = dice.choice(values)
    state = dice.choice(["mute", "bypass"]) if dice.random() < 0.12 else None
    return {"type": type_.id, "inputs": inputs, **({"state": state} if state else {})}


def outputs_of(type_id):
    return next(type_.output_names for type_ in NODES if type_.id == type_id)


def likely(path, wanted, before):
    name, _, port = path.partition(".")
    type_ = next(type_ for type_ in NODES if type_.id == before[name]["type"])
    given = next(output.type for output in type_.outputs if output.name == port)
    return fits(given, wanted, Bindings()) is not None


def as_text(found):
    """The table as it is stored: a line for each row, so that a change shows where it is."""
    parts = []
    for key, value in found.items():
        rows = ",\n".join(f"    {json.dumps(row, ensure_ascii=False)}" for row in value)
        parts.append(f"  {json.dumps(key)}: [\n{rows}\n  ]")
    return "{\n" + ",\n".join(parts) + "\n}\n"
