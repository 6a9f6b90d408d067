"""What the engine itself costs: time a node to plan, to run cold and to run cached, by shape and size.

`python -m tests.bench.engine` prints a table. Every figure is the best of several rounds, since whatever else the
machine does can only add to it; the growth column compares the cost a node with that of the smallest size.
"""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from engine import Catalog, Graph, Paths, Settings, node, plan
from engine.cache import MemoryCache
from engine.executor import Executor

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (100, 1_000, 10_000)
NODES_A_FIGURE = 10_000
MICRO = 1e6


@node("Start")
def start(*, value: int = 0) -> int:
    """A number."""
    return value


@node("Add")
def add(a: int, b: int = 1) -> int:
    """A sum."""
    return a + b


@node("Sum")
def total(items: list[int]) -> int:
    """The sum of a list."""
    return sum(items)


CATALOG = Catalog.of([start, add, total])
Nodes = dict[str, dict[str, object]]


def chain(size: int) -> Nodes:
    """Each node takes the one before."""
    nodes: Nodes = {"start": {"type": "Start"}}
    before = "start"
    for i in range(size - 1):
        nodes[f"n{i}"] = {"type": "Add", "inputs": {"a": _link(before), "b": i}}
        before = f"n{i}"
    return nodes


def fan(size: int) -> Nodes:
    """All take the first node, the last one takes them all."""
    middle = [f"n{i}" for i in range(size - 2)]
    nodes: Nodes = {"start": {"type": "Start"}}
    nodes |= {name: {"type": "Add", "inputs": {"a": _link("start"), "b": i}} for i, name in enumerate(middle)}
    nodes["sum"] = {"type": "Sum", "inputs": {"items": [_link(name) for name in middle]}}
    return nodes


def ladder(size: int) -> Nodes:
    """Pairs of nodes, each taking both of the pair before: the number of paths doubles with every rung."""
    nodes: Nodes = {"l": {"type": "Start"}, "r": {"type": "Start", "inputs": {"value": 1}}}
    left, right = "l", "r"
    for i in range(size // 2 - 1):
        nodes[f"l{i}"] = {"type": "Add", "inputs": {"a": _link(left), "b": _link(right)}}
        nodes[f"r{i}"] = {"type": "Add", "inputs": {"a": _link(right), "b": _link(left)}}
        left, right = f"l{i}", f"r{i}"
    return nodes


SHAPES = {"chain": chain, "fan": fan, "ladder": ladder}


def figures(shape: Callable[[int], Nodes], size: int) -> tuple[float, float, float]:
    """Microseconds a node to plan, to run cold and to run cached."""
    nodes = shape(size)
    outputs = {"out": f"{list(nodes)[-1]}.number"}
    graph = Graph.from_data({"version": 1, "nodes": nodes, "interface": {"outputs": outputs}})
    rounds = [_round(graph) for _ in range(min(30, max(5, NODES_A_FIGURE // size)))]
    planned, cold, cached = (min(times) / size * MICRO for times in zip(*rounds, strict=True))
    return planned, cold, cached


def main() -> None:
    """Print the table."""
    table = Table(title="The engine's own time, microseconds a node (growth against the smallest size)")
    for column in ("shape", "nodes", "plan", "growth", "cold", "growth", "cached", "growth"):
        table.add_column(column, justify="left" if column == "shape" else "right")
    for name, shape in SHAPES.items():
        first: tuple[float, ...] | None = None
        for size in SIZES:
            found = figures(shape, size)
            first = first or found
            cells = [
                cell for now, then in zip(found, first, strict=True) for cell in (f"{now:.1f}", f"{now / then:.2f}")
            ]
            table.add_row(name, f"{size:,}", *cells)
    Console().print(table)


def _round(graph: Graph) -> tuple[float, float, float]:
    executor = Executor(CATALOG, MemoryCache(1 << 30))
    gc.collect()
    before = time.perf_counter()
    wanted = plan(graph, CATALOG, Paths(), Settings())
    planned = time.perf_counter()
    executor.run(wanted, lambda _event: None)
    cold = time.perf_counter()
    again = plan(graph, CATALOG, Paths(), Settings())
    replanned = time.perf_counter()
    executor.run(again, lambda _event: None)
    cached = time.perf_counter()
    executor.close()
    return planned - before, cold - planned, cached - replanned


def _link(name: str) -> dict[str, str]:
    return {"link": f"{name}.number"}


if __name__ == "__main__":
    main()
