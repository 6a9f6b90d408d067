"""Values that are chosen anew for each run: which inputs can have such a value, and the drawing itself.

A document's `seeds` name them. Whoever takes a run in, such as the server, draws; a plan only checks, and a run on this
machine uses what is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from engine.errors import Code, GraphError, Problem
from engine.graph import Link, as_link
from engine.types import Bindings, Scalar, fits
from engine.wiring import Const

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pydantic import JsonValue

    from engine.document import Drawing
    from engine.node import Input
    from engine.plan import Plan

RANDOM_LIMIT = 2**32
"""A random value lies below it."""

AS_WRITTEN = "Remove this line; the written value is then used."


def seed_problem(path: str, drawing: Drawing, port: Input, written: JsonValue) -> Problem | None:
    """Why the value of `node.input` cannot be drawn, or None when it can. `written` is what the document gives it."""
    at = f"seeds.{path}"
    if as_link(written):
        return Problem(Code.BAD_VALUE, at, "This input is linked, so no value is drawn for it.", "Remove this line.")
    number = port.adapter is not None and port.resource is None
    if not number or fits(Scalar("int"), port.type, Bindings()) != "direct":
        what = f"Only whole numbers are drawn; this input takes {port.type}."
        return Problem(Code.BAD_VALUE, at, what, "Remove this line.")
    if drawing == "random" and not (_takes(port, 0) and _takes(port, RANDOM_LIMIT - 1)):
        what = f"A random value is 0 to {RANDOM_LIMIT - 1}, and this input does not take all of these."
        return Problem(Code.BAD_VALUE, at, what, AS_WRITTEN)
    return None


def drawn_ports(plan: Plan, given: Collection[str] = ()) -> list[str]:
    """Each `node.input` that a run of the plan needs a drawn value for; those that were `given` a value need none."""
    seeds = plan.source.document.seeds
    return [path for path in seeds if path not in given and Link.read(path).node in plan.steps]


def draw(plan: Plan, given: Collection[str], random: Callable[[int], int]) -> dict[str, int]:
    """The value of each of the `drawn_ports`. `random(limit)` gives a whole number from 0 to below the limit.

    Raises `GraphError` (`bad_value`) where nothing comes after the written value.
    """
    found: dict[str, int] = {}
    problems: list[Problem] = []
    for path in drawn_ports(plan, given):
        if plan.source.document.seeds[path] == "random":
            found[path] = random(RANDOM_LIMIT)
            continue
        name, port = Link.read(path)
        step = plan.steps[name]
        value = _after(step.inputs[port], step.type.inputs[port])
        if isinstance(value, str):
            problems.append(Problem(Code.BAD_VALUE, path, value, "Write another number, or draw it at random."))
        else:
            found[path] = value
    if problems:
        raise GraphError(problems)
    return found


def _after(source: object, port: Input) -> int | str:
    """The number after the written one, or why there is none."""
    written = source.value if isinstance(source, Const) else None
    if not isinstance(written, int) or isinstance(written, bool):
        return "There is no whole number here to count on from."
    if not _takes(port, written + 1):
        return f"{written} is counted on by 1 for each run, and this input does not take {written + 1}."
    return written + 1


def _takes(port: Input, value: int) -> bool:
    assert port.adapter is not None  # noqa: S101  # only inputs that take numbers are asked
    try:
        port.adapter.validate_python(value)
    except ValidationError:
        return False
    return True
