"""What a graph is and how it runs. Imports neither torch nor a server."""

from engine.catalog import Catalog
from engine.context import report, say, track
from engine.errors import Cancelled, Code, GraphError, NodeError, PatchbayError, Problem, ServerError, StoreError
from engine.graph import Bound, Graph
from engine.inspection import Fact, Histogram, Inspectable, Inspection, Shown
from engine.node import Lazy, NodeType, Resource, node
from engine.paths import Paths
from engine.plan import Plan, plan
from engine.runtime import Runtime
from engine.settings import Settings
from engine.types import Kind

__all__ = [
    "Bound",
    "Cancelled",
    "Catalog",
    "Code",
    "Fact",
    "Graph",
    "GraphError",
    "Histogram",
    "Inspectable",
    "Inspection",
    "Kind",
    "Lazy",
    "NodeError",
    "NodeType",
    "PatchbayError",
    "Paths",
    "Plan",
    "Problem",
    "Resource",
    "Runtime",
    "ServerError",
    "Settings",
    "Shown",
    "StoreError",
    "node",
    "plan",
    "report",
    "say",
    "track",
]
