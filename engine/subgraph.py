"""A graph as a node type: its interface becomes the ports."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.document import write
from engine.node import REQUIRED, Input, NodeType, Output
from engine.wiring import Const

if TYPE_CHECKING:
    from engine.catalog import AnyNodeType
    from engine.check import Checked, Checker
    from engine.graph import Graph
    from engine.wiring import From


class _Inner:
    """Stands for "as the inner graph has it", the default of a graph node's input."""

    def digest(self) -> str:
        """Nothing to tell: the inner document is part of the node's identity."""
        return ""

    def __repr__(self) -> str:
        return "as in the graph"


INNER = _Inner()


def as_node_type(type_id: str, graph: Graph, checker: Checker, checked: Checked) -> AnyNodeType:
    """The node type of a graph that was checked without problems."""
    interface = graph.document.interface
    inputs: dict[str, Input] = {}
    for public, path in interface.inputs.items():
        port = checker.input_port(path)
        name, _, inner = path.partition(".")
        has_value = inner in graph.document.nodes[name].inputs or not port.required
        inputs[public] = replace(port, name=public, default=INNER if has_value else REQUIRED)

    def function(**values: object) -> object:
        return graph.bind(**{name: value for name, value in values.items() if value is not INNER})

    effect = any(node.type.effect for node in checked.nodes.values())
    return NodeType(
        type_id,
        function,
        inputs,
        tuple(_output(public, source, checker, checked) for public, source in checked.outputs.items()),
        category="Graphs",
        deterministic=not effect and all(node.keyed for node in checked.nodes.values()),
        effect=effect,
        expands=True,
        identity=lambda: _identity(graph, checked),
    )


def _output(public: str, source: From, checker: Checker, checked: Checked) -> Output:
    inner = next(port for port in checked.nodes[source.node].type.outputs if port.name == source.port)
    return Output(public, checker.output_type(source), inner.inspectable)


def _identity(graph: Graph, checked: Checked) -> str:
    """What a graph does: its document, its node types, and the files that it names."""
    total = hashlib.sha256(write(graph.document.meaning()).encode())
    for node in checked.nodes.values():
        total.update(node.type.source.encode())
        for source in node.inputs.values():
            if isinstance(source, Const) and source.resource is not None:
                total.update(source.data or b"")
    return total.hexdigest()
