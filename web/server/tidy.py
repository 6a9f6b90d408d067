"""Where nodes are drawn so that a graph can be read: in layers from left to right, with few crossings.

This is Sugiyama's method. Each node's layer is the longest way to it, and nodes are then pulled towards what uses them.
A link over several layers gets a point in each one between. The layers are sorted by where neighbours lie, until that
crosses no fewer links; then each layer is moved as close to its neighbours as the order and the sizes allow.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import networkx as nx

from engine.graph import links_in

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from engine.document import Document

    Ports = Callable[[str], tuple[Sequence[str], Sequence[str]]]

COLUMN_GAP, ROW_GAP, PART_GAP = 80.0, 30.0, 80.0
"""Pixels between two layers, between two nodes of a layer, and between parts that no link joins."""

SIZE = (240.0, 160.0)
"""What a node without a size is taken for."""

ROW = 1600.0
"""Pixels across which lone nodes are laid side by side; more where the rest of the graph is wider."""

SORTINGS, MOVES = 12, 6

PORT = 24.0
"""Pixels between two ports of a node, about."""

MOST_ROWS = 64
"""Ports that are told apart."""

MOST_POINTS = 20_000
"""Points of long links; links beyond that have no say in the order."""


class _Wire(NamedTuple):
    """A link between two nodes, and the numbers of the two ports, counted from the top."""

    source: str
    target: str
    leaves: int
    enters: int


class _End(NamedTuple):
    """A neighbour, and the numbers of the ports there and here."""

    other: int
    there: int
    here: int


def tidy(
    document: Document,
    sizes: Mapping[str, tuple[float, float]],
    only: Collection[str] | None = None,
    ports: Ports = lambda _type: ((), ()),
) -> dict[str, tuple[float, float]]:
    """The upper left corner of each node, or of each of `only`, as whole pixels.

    A node without one of the `sizes` (width and height in pixels, above 0) has that of the document or a usual one.
    What is laid out keeps its own upper left corner. `ports` gives a node type's inputs and outputs in order; others
    follow as they stand in the document. A circle is laid out as if the links that go back in it were not there.
    """
    names = [name for name in document.nodes if only is None or name in only]
    box = {name: sizes.get(name) or _drawn(document, name) for name in names}
    wires = _wires(document, names, ports)
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(names)
    graph.add_edges_from((wire.source, wire.target) for wire in wires)
    wires = _forward(graph, wires, {name: place for place, name in enumerate(names)})
    joined: dict[str, int] = {
        name: number for number, part in enumerate(nx.weakly_connected_components(graph)) for name in part
    }
    parts: dict[int, tuple[list[str], list[_Wire]]] = {}
    for name in names:
        parts.setdefault(joined[name], ([], []))[0].append(name)
    for wire in wires:
        parts[joined[wire.source]][1].append(wire)
    spots = [_Part(part, links, box).spots() for part, links in parts.values()]
    return _moved(_stacked(spots, box), document, names)


def _drawn(document: Document, name: str) -> tuple[float, float]:
    """How large the document says that a node is drawn, as far as it does."""
    _, _, *size = document.layout.get(name, (0.0, 0.0))
    width, height = (*size, *SIZE[len(size) :])
    return width, height


def _wires(document: Document, names: Sequence[str], ports: Ports) -> list[_Wire]:
    known, found = set(names), list[_Wire]()
    for name in names:
        node = document.nodes[name]
        inputs = list(dict.fromkeys([*ports(node.type)[0], *node.inputs]))
        for port, value in node.inputs.items():
            for link in links_in(value):
                if link.node in known and link.node != name:
                    outputs = ports(document.nodes[link.node].type)[1]
                    found.append(_Wire(link.node, name, _row(outputs, link.port), _row(inputs, port)))
    return found


def _row(ports: Sequence[str], port: str) -> int:
    return min(ports.index(port), MOST_ROWS - 1) if port in ports else 0


def _forward(graph: nx.DiGraph[str], wires: Iterable[_Wire], place: Mapping[str, int]) -> list[_Wire]:
    """The links without those that go back in the document inside a circle."""
    circle = {name: number for number, part in enumerate(nx.strongly_connected_components(graph)) for name in part}
    return [
        wire for wire in wires if circle[wire.source] != circle[wire.target] or place[wire.source] < place[wire.target]
    ]


@dataclass(slots=True)
class _Vertex:
    """A node, or (`name` is "") a point of a long link, with its neighbours in the layers before and after."""

    name: str
    rank: int
    height: float
    before: list[_End] = field(default_factory=list)
    after: list[_End] = field(default_factory=list)


class _Part:
    """Nodes that links join, laid out from (0, 0)."""

    def __init__(self, names: Sequence[str], wires: Sequence[_Wire], box: Mapping[str, tuple[float, float]]) -> None:
        self._box = box
        ranks = _ranks(names, wires)
        self._vertices = [_Vertex(name, ranks[name], box[name][1]) for name in names]
        self._number = {name: number for number, name in enumerate(names)}
        self._points: dict[tuple[int, int], list[int]] = {}
        for wire in sorted(wires, key=lambda wire: ranks[wire.target] - ranks[wire.source]):
            self._join(wire)
        self._layers: list[list[int]] = [[] for _ in range(max(ranks.values()) + 1)]
        for number, vertex in enumerate(self._vertices):
            self._layers[vertex.rank].append(number)

    def spots(self) -> dict[str, tuple[float, float]]:
        """The corner of each node."""
        self._sort()
        down = self._move()
        top = min(down[number] for number, vertex in enumerate(self._vertices) if vertex.name)
        found: dict[str, tuple[float, float]] = {}
        left = 0.0
        for layer in self._layers:
            nodes = [(self._vertices[number].name, number) for number in layer if self._vertices[number].name]
            found |= {name: (left, down[number] - top) for name, number in nodes}
            left += max(self._box[name][0] for name, _ in nodes) + COLUMN_GAP
        return found

    def _join(self, wire: _Wire) -> None:
        """Put a link in, by way of a point in each layer between; links of one output share their points."""
        source, target = self._number[wire.source], self._number[wire.target]
        points = self._points.setdefault((source, wire.leaves), [])
        between = self._vertices[target].rank - self._vertices[source].rank - 1
        while len(points) < between:
            if len(self._vertices) - len(self._number) >= MOST_POINTS:
                return
            last = points[-1] if points else source
            points.append(len(self._vertices))
            self._vertices.append(_Vertex("", self._vertices[last].rank + 1, 0.0))
            self._fasten(last, points[-1], wire.leaves if last == source else 0, 0)
        last = points[between - 1] if between else source
        self._fasten(last, target, 0 if between else wire.leaves, wire.enters)

    def _fasten(self, source: int, target: int, leaves: int, enters: int) -> None:
        self._vertices[source].after.append(_End(target, enters, leaves))
        self._vertices[target].before.append(_End(source, leaves, enters))

    def _sort(self) -> None:
        """Order each layer so that few links cross; of all orders that were tried the best one stays."""
        place = {number: where for layer in self._layers for where, number in enumerate(layer)}
        best, fewest = [[*layer] for layer in self._layers], self._crossings(place)
        for turn in range(SORTINGS):
            if not fewest:
                break
            forth = turn % 2 == 0
            for layer in self._layers if forth else reversed(self._layers):
                layer.sort(key=lambda number: self._middle(number, place, forth=forth))
                place.update((number, where) for where, number in enumerate(layer))
            crossings = self._crossings(place)
            if crossings < fewest:
                best, fewest = [[*layer] for layer in self._layers], crossings
        self._layers = best

    def _middle(self, number: int, place: Mapping[int, int], *, forth: bool) -> float:
        """Where a vertex would like to be in its layer: between its neighbours of one side."""
        ends = self._vertices[number].before if forth else self._vertices[number].after
        return (
            sum(place[end.other] + end.there / MOST_ROWS for end in ends) / len(ends) if ends else float(place[number])
        )

    def _crossings(self, place: Mapping[int, int]) -> int:
        """How many pairs of links cross."""
        total = 0
        for layer in self._layers:
            seen: list[float] = []
            for number in layer:
                for end in sorted(self._vertices[number].after, key=lambda end: end.here):
                    where = place[end.other] + end.there / MOST_ROWS
                    total += len(seen) - bisect_right(seen, where)
                    insort(seen, where)
        return total

    def _move(self) -> list[float]:
        """How far down each vertex lies."""
        down = [0.0] * len(self._vertices)
        for layer in self._layers:
            for above, number in pairwise(layer):
                down[number] = down[above] + self._vertices[above].height + ROW_GAP
        for turn in range(MOVES):
            forth = turn % 2 == 0
            for layer in self._layers if forth else reversed(self._layers):
                wishes = [self._wish(number, down, forth=forth) for number in layer]
                for number, where in zip(layer, self._spaced(layer, wishes), strict=True):
                    down[number] = where
        return down

    def _wish(self, number: int, down: Sequence[float], *, forth: bool) -> float:
        """How far down the links of one side would be level."""
        ends = self._vertices[number].before if forth else self._vertices[number].after
        level = (down[end.other] + PORT * (end.there - end.here) for end in ends)
        return sum(level) / len(ends) if ends else down[number]

    def _spaced(self, layer: Sequence[int], wishes: Sequence[float]) -> list[float]:
        """The places nearest to the wishes (least squares) that keep order and distance: isotonic regression."""
        offsets = [0.0]
        for number in layer:
            offsets.append(offsets[-1] + self._vertices[number].height + ROW_GAP)
        blocks: list[tuple[float, int]] = []
        for wish, offset in zip(wishes, offsets, strict=False):
            total, count = wish - offset, 1
            while blocks and blocks[-1][0] * count >= total * blocks[-1][1]:
                above = blocks.pop()
                total, count = total + above[0], count + above[1]
            blocks.append((total, count))
        means = [total / count for total, count in blocks for _ in range(count)]
        return [mean + offset for mean, offset in zip(means, offsets, strict=False)]


def _ranks(names: Sequence[str], wires: Sequence[_Wire]) -> dict[str, int]:
    """The layer of each node: right of all that it uses, and then as near as can be to what uses it."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(names)
    graph.add_edges_from((wire.source, wire.target) for wire in wires)
    order = list(nx.topological_sort(graph))
    ranks: dict[str, int] = {}
    for name in order:
        ranks[name] = max((ranks[other] + 1 for other in graph.predecessors(name)), default=0)
    for name in reversed(order):
        ranks[name] = min((ranks[other] - 1 for other in graph.successors(name)), default=ranks[name])
    return ranks


def _stacked(
    parts: Sequence[dict[str, tuple[float, float]]], box: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """All parts: those of several nodes one below the other, the lone nodes side by side under them."""
    found: dict[str, tuple[float, float]] = {}
    top = width = 0.0
    for part in parts:
        if len(part) > 1:
            found |= {name: (x, y + top) for name, (x, y) in part.items()}
            width = max(width, *(x + box[name][0] for name, (x, _) in part.items()))
            top = PART_GAP + max(found[name][1] + box[name][1] for name in part)
    left = tallest = 0.0
    for name in (name for part in parts if len(part) == 1 for name in part):
        if left and left + box[name][0] > max(width, ROW):
            left, top, tallest = 0.0, top + tallest + ROW_GAP, 0.0
        found[name] = (left, top)
        left, tallest = left + box[name][0] + ROW_GAP, max(tallest, box[name][1])
    return found


def _moved(
    spots: Mapping[str, tuple[float, float]], document: Document, names: Sequence[str]
) -> dict[str, tuple[float, float]]:
    """The spots from the corner at which these nodes were, in the document's order."""
    before = [document.layout[name] for name in names if name in document.layout]
    left, top = (min((spot[axis] for spot in before), default=0.0) for axis in (0, 1))
    return {name: (float(round(left + spots[name][0])), float(round(top + spots[name][1]))) for name in names}
