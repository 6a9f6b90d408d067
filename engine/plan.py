"""A plan: a graph that was checked, cut down to what the wanted outputs need, and put in order."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from engine.check import Checker
from engine.errors import Code, GraphError, PatchbayError, Problem, choose
from engine.graph import links_in, unknown_input
from engine.keys import link_bytes, node_key
from engine.wiring import Const, From, sources_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pydantic import JsonValue

    from engine.catalog import Catalog
    from engine.check import Checked
    from engine.graph import Graph
    from engine.paths import Paths
    from engine.settings import Settings
    from engine.wiring import CheckedNode, Source


@dataclass(frozen=True)
class Plan:
    """What will run: `steps` by node id in topological order, ties in document order.

    `outputs` are the wanted values by public name; `effects` are the nodes wanted for what they do. `drawn` are nodes
    whose values are still to be drawn, so that nothing is known of their results.
    """

    steps: Mapping[str, CheckedNode]
    outputs: Mapping[str, From]
    effects: tuple[str, ...]
    paths: Paths
    settings: Settings
    source: Graph = field(repr=False)
    given: Mapping[str, object] = field(repr=False)
    drawn: Collection[str] = ()

    @cached_property
    def graph(self) -> Graph:
        """The graph with the values that it was planned with: run again, it gives the same.

        What was given for an interface input and is no JSON value, such as a picture, cannot be written down; there the
        graph stays as it was.
        """
        found = {name: _as_json(value) for name, value in self.given.items()}
        return self.source.with_inputs({name: items[0] for name, items in found.items() if items})

    @cached_property
    def affinity(self) -> str:
        """Which models the run will load, as far as that is known before it: runs of equal ones go well together.

        Empty where a graph names none. What is named through a link or inside a returned graph is not known.
        """
        constants = [
            source
            for step in self.steps.values()
            for source in step.inputs.values()
            if isinstance(source, Const) and source.value is not None and getattr(source.resource, "loads", False)
        ]
        return "\n".join(sorted({str(source.value) for source in constants}))

    @cached_property
    def keys(self) -> dict[str, str | None]:
        """Recipe key of each step; None where it cannot be known before the run.

        That is so for a step that is not deterministic, for one that names files through a link, for one whose value
        is still to be drawn, and for all that depends on such a step.
        """
        keys: dict[str, str | None] = {}
        numerics = self.settings.numerics
        for step in self.steps.values():
            try:
                keys[step.id] = None if step.id in self.drawn else _recipe_key(step, keys, numerics)
            except PatchbayError:  # a file has gone since the check: the step says so itself when it runs
                keys[step.id] = None
        return keys

    @property
    def wanted(self) -> Iterator[str]:
        """Ids of the nodes that must be done for the run to be done."""
        yield from dict.fromkeys([*(source.node for source in self.outputs.values()), *self.effects])


def plan(
    graph: Graph,
    catalog: Catalog,
    paths: Paths,
    settings: Settings,
    *,
    given: Mapping[str, object] | None = None,
    only: str | Sequence[str] | None = None,
    outputs: Collection[str] | None = None,
) -> Plan:
    """Check a graph and order what its outputs need, in time proportional to its nodes and links.

    `given` are run-time values for interface inputs. `outputs` wants some of the interface's outputs instead of all;
    a node with an effect then runs only where one of them needs it. `only` wants one node, or each of several, and wins
    over `outputs`: the outputs are then those of that node by their own names, or of several by `node.port`.
    Raises `GraphError` with every problem.
    """
    known = graph.document.interface.inputs
    public = graph.document.interface.outputs
    unknown = [unknown_input(name, known) for name in given or {} if name not in known]
    unknown += [_unknown_output(name, public) for name in outputs or () if name not in public]
    if unknown:
        raise GraphError(unknown)
    values = {known[name]: value for name, value in (given or {}).items()}
    checked = Checker(graph, catalog, paths, settings, values).check()
    if checked.problems:
        raise GraphError(checked.problems)
    found, effects = _wanted(graph, checked, only, outputs)
    needed = _needed(checked, [*(source.node for source in found.values()), *effects])
    steps = {name: checked.nodes[name] for name in checked.order if name in needed}
    paths = replace(paths, document=graph.folder or paths.document)
    return Plan(steps, found, effects, paths, settings, graph, dict(given or {}))


def _wanted(
    graph: Graph, checked: Checked, only: str | Sequence[str] | None, outputs: Collection[str] | None
) -> tuple[dict[str, From], tuple[str, ...]]:
    if only is not None:
        return _only(graph, checked, only)
    if outputs is not None:
        return _some(graph, checked, outputs), ()
    effects = tuple(name for name, node in checked.nodes.items() if node.type.effect)
    if checked.outputs or effects:
        return checked.outputs, effects
    if graph.document.interface.outputs or not checked.nodes:
        what = "Every wanted output is muted." if checked.absent else "The graph has no node that would run."
        raise GraphError([Problem(Code.NOTHING_TO_RUN, graph.origin, what, "Add a node or unmute one.")])
    used = {
        source.node
        for node in checked.nodes.values()
        if not node.type.relay
        for item in node.inputs.values()
        for source in sources_in(item)
    }
    return {}, tuple(name for name, node in checked.nodes.items() if name not in used and not node.type.relay)


def _some(graph: Graph, checked: Checked, names: Collection[str]) -> dict[str, From]:
    if not names:
        raise GraphError([Problem(Code.NOTHING_TO_RUN, graph.origin, "No output is wanted.", "Name one.")])
    muted = [name for name in names if name not in checked.outputs]
    if muted:
        what = "This output is wanted, but its node is muted."
        raise GraphError([Problem(Code.NOTHING_TO_RUN, name, what, "Unmute it or want another.") for name in muted])
    return {name: source for name, source in checked.outputs.items() if name in names}


def _unknown_output(name: str, known: Mapping[str, str]) -> Problem:
    what = f'The graph\'s interface has no output "{name}".'
    return Problem(Code.UNKNOWN_PORT, name, what, choose(name, known))


def _as_json(value: object) -> list[JsonValue]:
    """The JSON value that means the same when it is read from a document, alone in a list; or nothing."""
    try:
        found: JsonValue = json.loads(json.dumps(value, allow_nan=False))
        json.dumps(found, ensure_ascii=False).encode()  # half a pair is no character
    except (TypeError, ValueError, RecursionError):
        return []
    return [found] if found == value and not any(links_in(found)) else []


def _only(graph: Graph, checked: Checked, only: str | Sequence[str]) -> tuple[dict[str, From], tuple[str, ...]]:
    names = (only,) if isinstance(only, str) else tuple(dict.fromkeys(only))
    if not names:
        raise GraphError([Problem(Code.NOTHING_TO_RUN, graph.origin, "No node is wanted.", "Name one.")])
    problems = [_not_there(graph, checked, name) for name in names if name not in checked.nodes]
    if problems:
        raise GraphError(problems)
    ports = [From(name, port) for name in names for port in checked.nodes[name].type.output_names]
    return {port.port if isinstance(only, str) else f"{port.node}.{port.port}": port for port in ports}, names


def _not_there(graph: Graph, checked: Checked, name: str) -> Problem:
    node = graph.document.nodes.get(name)
    if node is None:
        return Problem(Code.UNKNOWN_NODE, name, f'There is no node "{name}" to run.', choose(name, checked.nodes))
    if node.state == "bypass":
        return Problem(Code.NOTHING_TO_RUN, name, f'"{name}" is bypassed, so it does not run.', "Take the bypass off.")
    why = "muted" if node.state == "mute" else "kept from running by a muted node"
    return Problem(Code.NOTHING_TO_RUN, name, f'"{name}" is {why}.', "Unmute it.")


def _needed(checked: Checked, wanted: Iterable[str]) -> set[str]:
    needed: set[str] = set()
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += (source.node for item in checked.nodes[name].inputs.values() for source in sources_in(item))
    return needed


def _recipe_key(step: CheckedNode, keys: Mapping[str, str | None], numerics: str) -> str | None:
    if not step.keyed:
        return None
    inputs: list[tuple[str, bytes]] = []
    for name, source in step.inputs.items():
        data = _recipe_bytes(source, keys)
        if data is None:
            return None
        inputs.append((name, data))
    return node_key(step.identity(numerics), inputs)


def _recipe_bytes(source: Source, keys: Mapping[str, str | None]) -> bytes | None:
    if isinstance(source, Const):
        return source.data
    if isinstance(source, From):
        key = keys[source.node]
        return None if key is None else link_bytes(key, source.port)
    parts = [_recipe_bytes(item, keys) for item in source.items]
    found = [part for part in parts if part is not None]
    return b"l%d" % len(found) + b"".join(found) if len(found) == len(parts) else None
