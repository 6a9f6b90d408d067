"""Looking at a value that is in the cache: nothing is run for it."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from engine import Code, PatchbayError
from engine.errors import choose
from engine.graph import Link
from engine.inspection import inspect_value, label_of
from engine.wiring import From

if TYPE_CHECKING:
    from engine import Plan
    from engine.cache import MemoryCache


def look(plan: Plan, port: str, cache: MemoryCache) -> dict[str, Any]:
    """What the value of "node.output" is, as JSON, or that it is not there. The plan has the node.

    Raises `PatchbayError` (`unknown_port`) where the node has no such output.
    """
    node, name = Link.read(port)
    step = plan.steps[node]
    if name not in step.type.output_names:
        what = f'{step.type.id} has no output "{name}".'
        raise PatchbayError(Code.UNKNOWN_PORT, port, what, choose(name, step.type.output_names))
    while step.type.relay and isinstance(source := next(iter(step.inputs.values())), From):
        step, name = plan.steps[source.node], source.port
    key = plan.keys[step.id]
    entry = cache.get(key) if key is not None else None
    if entry is None:
        label = next(str(output.type) for output in step.type.outputs if output.name == name)
        return {"state": "not_computed", "label": label, "facts": [], "histogram": None, "pictures": []}
    return {"state": "here", **_seen(entry.outputs[name])}


def _seen(value: object) -> dict[str, Any]:
    found = inspect_value(value)
    spread = found.histogram
    return {
        "label": label_of(value),
        "facts": [{"name": fact.name, "value": fact.value} for fact in found.facts],
        "histogram": spread and {"low": spread.low, "high": spread.high, "counts": [*spread.counts]},
        "pictures": [
            {"label": shown.label, "width": shown.width, "height": shown.height, "png": b64encode(shown.png).decode()}
            for shown in found.pictures
        ],
    }
