"""What a run would do before it does: for each step whether its result is there already, and why not if it is not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.errors import PatchbayError
from engine.wiring import Const, From, Many, sources_in

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from engine.plan import Plan
    from engine.wiring import CheckedNode, Source

State = Literal["reused", "runs", "unknown"]

SHOWN = 60
"""How many characters of a value a sentence can hold."""

AROUND = 20
"""How many of them stand before the place where two values begin to differ."""

NEW_SEED = "a new seed is drawn for each run"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What will become of one step, and why, in a few words."""

    node: str
    state: State
    why: str


def forecast(plan: Plan, cache: Container[str], before: Plan | None = None) -> list[Forecast]:
    """What will become of each step of `plan`, in order.

    `cache` holds recipe keys. `before` is the plan that ran last, its `keys` taken then: files may have changed since.

    - "reused": the result is in the cache, or nobody needs it, for all that uses it is in the cache.
    - "runs": the function will be called. Should what it depends on come out as in an earlier run, then the executor
      finds the result by content after all, which nobody can know before.
    - "unknown": that shows only in the run: a lazy input may not be asked for, a link may name another file.
    """
    demanded = _demanded(plan, cache)
    found: dict[str, Forecast] = {}
    for step in plan.steps.values():
        found[step.id] = Forecast(step.id, *_one(step, plan, cache, before, demanded, found))
    return list(found.values())


def _demanded(plan: Plan, cache: Container[str]) -> dict[str, str]:
    """The steps whose results the executor will look for, each with the lazy step that has to ask for it, or ""."""
    found: dict[str, str] = {}
    surely = [(name, "") for name in plan.wanted]
    perhaps: list[tuple[str, str]] = []
    while surely or perhaps:
        name, asker = (surely or perhaps).pop()
        if name not in found:
            found[name] = asker
            if plan.keys[name] not in cache:
                step = plan.steps[name]
                surely += ((source.node, asker) for _, source in _links(step, lazy=False))
                perhaps += ((source.node, name) for _, source in _links(step, lazy=True))
    return found


def _links(step: CheckedNode, *, lazy: bool) -> Iterator[tuple[str, From]]:
    """The links of those inputs that are lazy, or of those that are not, with the input's name."""
    for name, given in step.inputs.items():
        if step.type.inputs[name].lazy is lazy:
            for source in sources_in(given):
                yield name, source


def _one(
    step: CheckedNode,
    plan: Plan,
    cache: Container[str],
    before: Plan | None,
    demanded: dict[str, str],
    found: dict[str, Forecast],
) -> tuple[State, str]:
    if step.id not in demanded:
        return "reused", "all that uses it is in the cache"
    if plan.keys[step.id] in cache:
        return "reused", "its result is in the cache"
    if demanded[step.id]:
        return "unknown", f"it runs only if {demanded[step.id]} asks for it"
    always = NEW_SEED if step.id in plan.drawn else _always(step)
    if always:
        return "runs", always
    previous = before.steps.get(step.id) if before is not None else None
    if before is None or previous is None:
        return "runs", "never ran"
    changes = list(_changes(previous, step, before.settings.numerics, plan.settings.numerics))
    if changes:
        return "runs", ", ".join(changes)
    return _from_upstream(step, plan, before, found)


def _always(step: CheckedNode) -> str:
    """Why a step runs in every run, or "" when it does not."""
    if step.type.effect:
        return "it has an effect and runs in every run"
    if not step.type.deterministic:
        return "what its graph depends on shows only then" if step.type.expands else "it is not deterministic"
    for name, source in step.inputs.items():
        if isinstance(source, Const):
            try:
                if source.data is None:
                    return f"`{name}` was given as a value that has no identity"
            except PatchbayError as error:
                return f"`{name}`: {error.what}"
    return ""


def _changes(old: CheckedNode, new: CheckedNode, numerics_before: str, numerics: str) -> Iterator[str]:
    """What is different about a step itself, in words."""
    if old.type.id != new.type.id:
        yield f"its type changed: {old.type.id} -> {new.type.id}"
        return
    if old.type.source != new.type.source:
        yield "its source changed"
    if new.type.device and numerics_before != numerics:
        yield f"device and precision changed: {numerics_before} -> {numerics}"
    for name, source in new.inputs.items():
        if name in old.inputs and not _same(old.inputs[name], source):
            yield f"`{name}` changed{_change(_told(old.inputs[name]), _told(source))}"


def _change(old: str, new: str) -> str:
    """Both texts, or what of long ones is around the place where they begin to differ."""
    if old == new:
        return " in its content"
    alike = next((place for place, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), 0)
    start = max(0, alike - AROUND) if max(len(old), len(new)) > SHOWN else 0
    return f": {_short(old, start)} -> {_short(new, start)}"


def _short(text: str, start: int) -> str:
    end = start + SHOWN
    return f"{'...' if start else ''}{text[start:end]}{'...' if text[end:] else ''}"


def _from_upstream(step: CheckedNode, plan: Plan, before: Plan, found: dict[str, Forecast]) -> tuple[State, str]:
    """Why a step that is what it was is not in the cache: what it is linked to, or the cache."""
    links = [*_links(step, lazy=False), *_links(step, lazy=True)]
    for name, source in links:
        if found[source.node].state == "runs":
            return "runs", f"`{name}` comes from {source.node}, which runs"
    for name, source in links:
        if found[source.node].state == "unknown":
            state: State = "runs" if step.type.lazy else "unknown"
            return state, f"`{name}` comes from {source.node}, which may run"
    for name, given in step.inputs.items():
        if step.type.inputs[name].resource is not None and not isinstance(given, Const):
            return "unknown", f"`{name}` is named by a link"
    changed = [f"`{name}` changed with {source.node}" for name, source in links if _moved(source.node, plan, before)]
    return "runs", changed[0] if changed else "its result is no longer in the cache"


def _moved(name: str, plan: Plan, before: Plan) -> bool:
    return plan.keys[name] != before.keys.get(name)


def _same(old: Source, new: Source) -> bool:
    match old, new:
        case Const(), Const():
            return _data(old) == _data(new)
        case Many(), Many():
            return len(old.items) == len(new.items) and all(map(_same, old.items, new.items))
        case _:
            return old == new


def _data(source: Const) -> bytes | None:
    try:
        return source.data
    except PatchbayError:  # the file has gone since that plan was made
        return None


def _told(source: Source) -> str:
    if isinstance(source, From):
        return f"{source.node}.{source.port}"
    if isinstance(source, Many):
        return f"[{', '.join(map(_told, source.items))}]"
    if isinstance(source.value, (str, int, float, list, dict, type(None))):
        return json.dumps(source.value, ensure_ascii=False, default=str)
    return str(source.value)
