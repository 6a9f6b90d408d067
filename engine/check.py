"""Check a graph against the catalogue: every value, link and kind. Collects all problems instead of stopping."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import networkx as nx
from pydantic import ValidationError

from engine.errors import FEW, Code, GraphError, PatchbayError, Problem, choose, nearest
from engine.graph import Graph, Link, as_link, links_in
from engine.node import REQUIRED, Input
from engine.seeds import seed_problem
from engine.subgraph import as_node_type
from engine.types import (
    ANYTHING,
    Anything,
    Bindings,
    Fit,
    KindName,
    ListOf,
    Type,
    Var,
    fits,
    kinds_clash,
    members_of,
    substitute,
    type_of,
    union,
)
from engine.wiring import CheckedNode, Const, From, Many

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from pydantic import JsonValue

    from engine.catalog import AnyNodeType, Catalog
    from engine.node import Resource
    from engine.paths import Paths
    from engine.settings import Settings
    from engine.wiring import Source

GRAPH_PREFIX = "graph:"
"""A node type whose id starts so is a graph file."""

COMPARISONS = 50
"""How many unknown names of one graph are told with the nearest known one."""


@dataclass(frozen=True, slots=True)
class _Absent:
    """A link to a node that is muted, or that a muted node keeps from running."""


@dataclass(frozen=True, slots=True)
class _Passed:
    """What a bypassed node hands on when that is no link: the JSON of its input."""

    raw: JsonValue


@dataclass
class Checked:
    """What a check found."""

    nodes: dict[str, CheckedNode] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    absent: set[str] = field(default_factory=set)
    outputs: dict[str, From] = field(default_factory=dict)
    types: dict[From, Type] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)


class Checker:
    """One check of one graph. `given` are run-time values for `node.input`; `opened` inputs may be missing."""

    def __init__(
        self,
        graph: Graph,
        catalog: Catalog,
        paths: Paths,
        settings: Settings,
        given: Mapping[str, object] | None = None,
        opened: Iterable[str] = (),
        within: tuple[str, ...] = (),
    ) -> None:
        self._graph = graph
        self._document = graph.document
        self._catalog = catalog
        self._paths = replace(paths, document=graph.folder or paths.document)
        self._settings = settings
        self._given = given or {}
        self._opened = frozenset(opened)
        self._within = within
        self._graph_types: dict[str, AnyNodeType | Problem] = {}
        self._bindings = Bindings()
        self._found = Checked()
        self._types: dict[str, AnyNodeType] = {}
        self._written: dict[str, str] = {}
        self._facts: dict[str, dict[str, str]] = {}

    def check(self) -> Checked:
        """Check everything. The order is topological with ties in document order, or empty where there is a cycle."""
        self._find_types()
        self._found.order = order = self._ordered()
        for name in order or self._document.nodes:
            if name in self._types and self._document.nodes[name].state is None:
                self._check_node(name)
            elif self._document.nodes[name].state == "mute":
                self._found.absent.add(name)
        self._check_interface()
        self._check_seeds()
        self._found.problems.sort(key=self._position)
        return self._found

    def input_port(self, path: str) -> Input:
        """The checked input port behind `node.input`, its type as far as it is known."""
        name, _, port = path.partition(".")
        found = self._types[name].inputs[port]
        return replace(found, type=self._bindings.resolve(_scoped(found.type, name)))

    def output_type(self, source: From) -> Type:
        """The checked type of an output, as far as it is known."""
        return self._bindings.resolve(self._found.types[source])

    def _problem(self, code: Code, at: str, what: str, fix: str = "") -> None:
        self._found.problems.append(Problem(code, at, what, fix))

    def _choose(self, name: str, known: Collection[str]) -> str:
        """What to write in place of an unknown name; comparing takes time, so a document full of them gets a few."""
        return choose(name, known) if len(self._found.problems) < COMPARISONS else f"There is no {name}."

    def _position(self, problem: Problem) -> tuple[int, str]:
        name = problem.at.partition(".")[0].partition("/")[0]
        return (self._places.get(name, len(self._places)), problem.at)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self._document.nodes)}

    def _find_types(self) -> None:
        for name, node in self._document.nodes.items():
            try:
                found = self._find_type(node.type)
            except PatchbayError as error:
                self._found.problems += [problem.moved(f"{name}/") for problem in _problems_of(error)]
                continue
            if found is None:
                close = len(self._found.problems) < COMPARISONS and nearest(node.type, self._catalog.types)
                fix = close or "`patchbay nodes` lists them."
                self._problem(Code.UNKNOWN_TYPE, name, f'There is no node type "{node.type}".', fix)
            else:
                self._types[name] = found

    def _find_type(self, type_id: str) -> AnyNodeType | None:
        if not type_id.startswith(GRAPH_PREFIX):
            return self._catalog.types.get(type_id)
        if type_id not in self._graph_types:
            self._graph_types[type_id] = self._graph_type(type_id)
        found = self._graph_types[type_id]
        if isinstance(found, Problem):
            raise PatchbayError(found.code, found.at, found.what, found.fix)
        return found

    def _graph_type(self, type_id: str) -> AnyNodeType | Problem:
        name = type_id.removeprefix(GRAPH_PREFIX)
        file = self._paths.find(f"{name}.json", self._paths.graphs)
        if str(file) in self._within:
            what = f'The graph "{name}" contains itself.'
            return Problem(Code.CYCLE, "", what, "Remove it there; a loop is written with Repeat.")
        inner = Graph.load(file)
        within = (*self._within, str(file))
        checker = Checker(
            inner,
            self._catalog,
            self._paths,
            self._settings,
            opened=inner.document.interface.inputs.values(),
            within=within,
        )
        checked = checker.check()
        if checked.problems:
            raise GraphError(checked.problems)
        return as_node_type(type_id, inner, checker, checked)

    def _ordered(self) -> list[str]:
        places = self._places
        found = [
            (link.node, name)
            for name, node in self._document.nodes.items()
            for value in node.inputs.values()
            for link in links_in(value)
            if link.node in places
        ]
        if all(places[upstream] < places[name] for upstream, name in found):
            return list(places)  # the document's order is topological already, as it mostly is
        edges: nx.DiGraph[str] = nx.DiGraph()
        edges.add_nodes_from(places)
        edges.add_edges_from(found)
        try:
            return list(nx.lexicographical_topological_sort(edges, key=places.__getitem__))
        except nx.NetworkXUnfeasible:
            for cycle in _cycles(edges):
                self._problem(
                    Code.CYCLE,
                    cycle[0],
                    f"These nodes wait for each other: {_told(cycle)}.",
                    "Remove one of the links; a loop is written with ForEach or Repeat.",
                )
            return []

    def _check_node(self, name: str) -> None:
        type_, node = self._types[name], self._document.nodes[name]
        for extra in node.inputs.keys() - type_.inputs.keys():
            fix = self._choose(extra, type_.inputs)
            self._problem(Code.UNKNOWN_PORT, f"{name}.{extra}", f'{type_.id} has no input "{extra}".', fix)
        before = len(self._found.problems)
        inputs: dict[str, Source] = {}
        fit: dict[str, Fit] = {}
        for port in type_.inputs.values():
            self._check_input(name, port, node.inputs.get(port.name, REQUIRED), inputs, fit)
        if name in self._found.absent:
            return
        if len(self._found.problems) == before:
            self._bind_kinds(name, type_, inputs)
            self._learn(name, type_, inputs)
        self._found.nodes[name] = CheckedNode(name, type_, inputs, fit)
        many = "map" in fit.values()
        for output in type_.outputs:
            given = self._bindings.resolve(_scoped(output.type, name)) if type_.generic else output.type
            self._found.types[From(name, output.name)] = ListOf(given) if many else given

    def _check_input(
        self,
        name: str,
        port: Input,
        raw: Any,  # noqa: ANN401  # or REQUIRED
        inputs: dict[str, Source],
        fit: dict[str, Fit],
    ) -> None:
        at = f"{name}.{port.name}"
        if at in self._given:
            self._check_given(at, name, port, inputs, fit)
            return
        source = self._read(at, port, raw)
        if isinstance(source, _Absent):
            source = None if port.required else Const(port.default)
            if source is None:
                self._found.absent.add(name)
        elif source is not None and not isinstance(source, Const):
            how = self._check_link(at, name, port, source)
            if how not in (None, "direct"):
                fit[port.name] = how
        elif isinstance(source, Const) and port.generic and (source.value is not None or isinstance(port.type, Var)):
            fits(type_of(source.value), _scoped(port.type, name), self._bindings)
        if source is not None:
            inputs[port.name] = source

    def _check_given(self, at: str, name: str, port: Input, inputs: dict[str, Source], fit: dict[str, Fit]) -> None:
        value = self._given[at]
        if (port.resource is not None and isinstance(value, str)) or (port.adapter is not None and _is_json(value)):
            found = self._value(at, port, value)
        else:
            found = Const(value, port.resource)
            how = self._fit(at, name, port, type_of(value), "the value given")
            if how not in (None, "direct"):
                fit[port.name] = how
        if found is not None:
            inputs[port.name] = found

    def _read(self, at: str, port: Input, raw: Any) -> Source | _Absent | None:  # noqa: ANN401  # or REQUIRED
        if raw is REQUIRED:
            if not port.required:
                return Const(port.default)
            if at not in self._opened:
                needs = "a link" if port.adapter is None else "a value or a link"
                self._problem(Code.MISSING_INPUT, at, f"This input needs {needs}: {port.type}.", "Give it one.")
            return None
        link = as_link(raw)
        if link is not None:
            found = self._follow(at, link)
            return self._read(at, port, found.raw) if isinstance(found, _Passed) else found
        if isinstance(raw, list) and any(as_link(item) for item in raw):
            return self._read_list(at, port, raw)
        return self._value(at, port, raw)

    def _read_list(self, at: str, port: Input, raw: list[JsonValue]) -> Source | None:
        items: list[Const | From] = []
        for number, item in enumerate(raw):
            link = as_link(item)
            found = self._follow(f"{at}[{number}]", link) if link else Const(item)
            if found is None:
                return None
            if isinstance(found, _Passed):
                items.append(Const(found.raw))
            elif not isinstance(found, _Absent):
                items.append(found)
        if not any(isinstance(member, (ListOf, Var, Anything)) for member in members_of(port.type)):
            what = f"This input takes one {port.type}, not a list of links."
            self._problem(Code.TYPE_MISMATCH, at, what, "Link one output.")
            return None
        return Many(tuple(items))

    def _value(self, at: str, port: Input, raw: object) -> Const | None:
        if port.adapter is None:
            if raw is None and not port.required and port.default is None:
                return Const(None)
            what = f"This input takes a link, not a value: it wants {port.type}."
            self._problem(Code.BAD_VALUE, at, what, "Link an output to it.")
            return None
        if port.resource is not None and raw is None and port.default is None:
            return Const(None)
        try:
            value = port.adapter.validate_python(raw)
        except ValidationError as error:
            self._problem(Code.BAD_VALUE, at, value_message(error, raw), port.hint)
            return None
        if port.resource is None:
            return Const(value)
        try:
            return self._resolved(at, port.resource, value)
        except PatchbayError as error:
            self._found.problems += _problems_of(error)
            return None

    def _resolved(self, at: str, resource: Resource, value: str) -> Const:
        if getattr(resource, "writes", False):
            if value in self._written:
                what = f'"{value}" is written by {self._written[value]} already.'
                raise PatchbayError(Code.SAME_FILE, at, what, "Give one of them another name.")
            self._written[value] = at
        return Const(resource.resolve(value, self._paths, self._settings, at), resource)

    def _follow(self, at: str, link: Link) -> From | _Absent | _Passed | None:
        """What a link leads to, through bypassed nodes and relays."""
        seen: set[str] = set()
        while True:
            node = self._document.nodes.get(link.node)
            if node is None:
                fix = self._choose(link.node, self._document.nodes)
                self._problem(Code.UNKNOWN_NODE, at, f'It is linked to "{link}", but there is no such node.', fix)
                return None
            if link.node not in self._types or link.node in seen:
                return None  # said already: an unknown type, or a cycle
            seen.add(link.node)
            type_ = self._types[link.node]
            if link.port not in type_.output_names:
                fix = self._choose(link.port, type_.output_names)
                what = f'It is linked to "{link}", but {type_.id} has no output "{link.port}".'
                self._problem(Code.UNKNOWN_PORT, at, what, fix)
                return None
            if node.state == "mute" or link.node in self._found.absent:
                return _Absent()
            if node.state is None:
                onward = self._relayed(link.node, type_)
                if onward is None:
                    return From(link.node, link.port)
                link = onward
                continue
            passed = self._bypass(at, link, type_)
            if not isinstance(passed, Link):
                return passed
            link = passed

    def _relayed(self, name: str, type_: AnyNodeType) -> Link | None:
        """The link that a relay is given, where it leads to an output."""
        if not type_.relay:
            return None
        (port,) = type_.inputs
        if f"{name}.{port}" in self._given:
            return None
        link = as_link(self._document.nodes[name].inputs.get(port))
        giver = self._types.get(link.node) if link is not None else None
        return link if link is not None and giver is not None and link.port in giver.output_names else None

    def _bypass(self, at: str, link: Link, type_: AnyNodeType) -> Link | _Passed | None:
        """What a bypassed node hands on: its first input whose type fits the output."""
        output = next(port for port in type_.outputs if port.name == link.port)
        given = self._document.nodes[link.node].inputs
        for port in type_.inputs.values():
            if port.name in given and fits(port.type, output.type, Bindings()) == "direct":
                raw = given[port.name]
                return as_link(raw) or _Passed(raw)
        what = f'The bypassed node "{link.node}" has no input that could stand for "{link}".'
        self._problem(Code.CANNOT_BYPASS, at, what, "Mute it or take it out.")
        return None

    def _check_link(self, at: str, name: str, port: Input, source: From | Many) -> Fit | None:
        if isinstance(source, From):
            given = self._found.types.get(source)
            return self._fit(at, name, port, given, f'"{source.node}.{source.port}"') if given else None
        types = [
            self._found.types.get(item, ANYTHING) if isinstance(item, From) else type_of(item.value)
            for item in source.items
        ]
        return self._fit(at, name, port, ListOf(union(types)) if types else ListOf(ANYTHING), "the list")

    def _fit(self, at: str, name: str, port: Input, given: Type, giver: str) -> Fit | None:
        wanted = _scoped(port.type, name) if port.generic else port.type
        how = fits(given, wanted, self._bindings)
        if how == "map" and port.lazy:
            how = None
        if how is None:
            given, wanted = self._bindings.resolve(given), self._bindings.resolve(wanted)
            clash = kinds_clash(given, wanted)
            fix = (
                "Use the parts of one model, or decode with the VAE of the one and encode with the other's."
                if clash
                else "Link an output of that type, or convert it."
            )
            what = f"It wants {wanted}; {giver} gives {given}."
            self._problem(Code.KIND_MISMATCH if clash else Code.TYPE_MISMATCH, at, what, fix)
        return how

    def _bind_kinds(self, name: str, type_: AnyNodeType, inputs: Mapping[str, Source]) -> None:
        if type_.kinds is None:
            return
        try:
            kinds = type_.kinds(_values(inputs))
        except PatchbayError as error:
            self._refuse(name, type_, error)
            return
        for variable, kind in kinds.items():
            self._bindings.unify(KindName(kind), Var(f"{name}.{variable}", kind=True))

    def _learn(self, name: str, type_: AnyNodeType, inputs: Mapping[str, Source]) -> None:
        """What is known of the node's results: what came with its inputs, and what its own rule adds."""
        links = {port: source.node for port, source in inputs.items() if isinstance(source, From)}
        given = {port: self._facts[upstream] for port, upstream in links.items() if upstream in self._facts}
        facts = _agreed(given.values()) if type_.generic else {}
        if type_.facts is not None:
            try:
                facts.update(type_.facts(_values(inputs), given))
            except PatchbayError as error:
                self._refuse(name, type_, error)
        if facts:
            self._facts[name] = facts

    def _refuse(self, name: str, type_: AnyNodeType, error: PatchbayError) -> None:
        port = error.at.partition(".")[0]
        self._problem(error.code, f"{name}.{error.at}" if port in type_.inputs else name, error.what, error.fix)

    def _check_interface(self) -> None:
        interface = self._document.interface
        for public, path in interface.inputs.items():
            self._check_port(f"interface.inputs.{public}", path, "inputs")
        for public, path in interface.outputs.items():
            if self._check_port(f"interface.outputs.{public}", path, "outputs"):
                source = self._follow(f"interface.outputs.{public}", Link.read(path))
                if isinstance(source, From):
                    self._found.outputs[public] = source
                elif isinstance(source, _Passed):
                    what = f'The bypassed node behind "{path}" hands on a written value, which nothing computes.'
                    self._problem(Code.CANNOT_BYPASS, f"interface.outputs.{public}", what, "Mute it or take it out.")
        for name in self._document.layout:
            if name not in self._document.nodes:
                what = f'There is no node "{name}".'
                self._problem(Code.UNKNOWN_NODE, f"layout.{name}", what, "Remove this line.")

    def _check_seeds(self) -> None:
        for path, drawing in self._document.seeds.items():
            if self._check_port(f"seeds.{path}", path, "inputs"):
                name, port = Link.read(path)
                written = self._document.nodes[name].inputs.get(port)
                found = seed_problem(path, drawing, self._types[name].inputs[port], written)
                self._found.problems += [found] if found else []

    def _check_port(self, at: str, path: str, side: str) -> bool:
        name, _, port = path.partition(".")
        if name not in self._document.nodes:
            fix = self._choose(name, self._document.nodes)
            self._problem(Code.UNKNOWN_NODE, at, f'"{path}" names no node of this graph.', fix)
            return False
        if name not in self._types:
            return False
        type_ = self._types[name]
        known = tuple(type_.inputs) if side == "inputs" else type_.output_names
        if port not in known:
            fix = self._choose(port, known)
            self._problem(Code.UNKNOWN_PORT, at, f'{type_.id} has no {side[:-1]} "{port}".', fix)
        return port in known


def _values(inputs: Mapping[str, Source]) -> dict[str, object]:
    return {name: source.value for name, source in inputs.items() if isinstance(source, Const)}


def _agreed(given: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """What all who say something of it say alike."""
    found: dict[str, set[str]] = {}
    for facts in given:
        for key, value in facts.items():
            found.setdefault(key, set()).add(value)
    return {key: values.pop() for key, values in found.items() if len(values) == 1}


def value_message(error: ValidationError, raw: object) -> str:
    """A sentence for a value that its port refuses."""
    first = error.errors()[0]
    shown = repr(raw) if len(repr(raw)) <= 60 else f"{repr(raw)[:57]}..."  # noqa: PLR2004  # one line of a terminal
    if raw is None or isinstance(raw, bool):
        shown = json.dumps(raw)
    return f"{shown} does not fit: {first['msg'][0].lower()}{first['msg'][1:]}."


def _scoped(type_: Type, node: str) -> Type:
    return substitute(type_, lambda var: replace(var, name=f"{node}.{var.name}"))


def _is_json(value: object) -> bool:
    if isinstance(value, list):
        return all(map(_is_json, value))
    return value is None or isinstance(value, (str, int, float, bool, dict))


def _problems_of(error: PatchbayError) -> list[Problem]:
    return list(error.problems) if isinstance(error, GraphError) else [error.problem]


def _cycles(edges: nx.DiGraph[str]) -> Iterator[list[str]]:
    """One cycle out of each strongly connected component: walk inside it until a node comes again."""
    for component in nx.strongly_connected_components(edges):
        start = min(component)
        if len(component) == 1 and not edges.has_edge(start, start):
            continue
        walk: dict[str, int] = {}
        while start not in walk:
            walk[start] = len(walk)
            start = min(node for node in edges.successors(start) if node in component)
        yield list(walk)[walk[start] :]


def _told(cycle: list[str]) -> str:
    if len(cycle) <= FEW:
        return " -> ".join([*cycle, cycle[0]])
    return f"{' -> '.join([*cycle[:4], '...', cycle[-1], cycle[0]])} ({len(cycle):,} nodes)"
