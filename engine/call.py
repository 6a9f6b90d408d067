"""One call of one node: gather its inputs, run its function once or for each item, name its outputs, word errors."""

from __future__ import annotations

import errno
import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from engine.cache import Entry
from engine.check import value_message
from engine.context import call_within
from engine.describe import describe
from engine.errors import Cancelled, Code, NodeError, PatchbayError
from engine.graph import Bound, Graph
from engine.keys import canonical, content_bytes, content_digest, node_key
from engine.wiring import Const, From, Many

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from engine.cache import MemoryCache
    from engine.context import NodeContext
    from engine.node import Input
    from engine.wiring import CheckedNode, Source


class Ask(BaseException):
    """A function asked for a lazy input whose value is not there yet."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class LazyInput:
    """The `Lazy` that a function gets: calling it gives the value or ends this call with `Ask`."""

    def __init__(self, name: str, get: Callable[[], object], *, ready: bool) -> None:
        self._name, self._get, self._ready = name, get, ready

    def __call__(self) -> object:
        """The value, once it is there."""
        if not self._ready:
            raise Ask(self._name)
        return self._get()


def gather(
    step: CheckedNode, upstream: Callable[[str], Entry | None], context: NodeContext, at: str
) -> dict[str, object]:
    """The keyword arguments of a call; an input to be mapped is still a list.

    Raises `PatchbayError` for a linked value that its port refuses.
    """
    arguments: dict[str, object] = {}
    for name, source in step.inputs.items():
        port = step.type.inputs[name]
        if port.lazy:
            arguments[name] = _lazy(name, source, upstream)
        elif isinstance(source, Const):
            arguments[name] = source.value
        else:
            arguments[name] = _linked(port, source, step.fit.get(name), upstream, context, f"{at}.{name}")
    return arguments


def _lazy(name: str, source: Source, upstream: Callable[[str], Entry | None]) -> LazyInput:
    ready = not isinstance(source, From) or upstream(source.node) is not None
    return LazyInput(name, lambda: _value(source, upstream), ready=ready)


def _linked(
    port: Input,
    source: Source,
    fit: str | None,
    upstream: Callable[[str], Entry | None],
    context: NodeContext,
    at: str,
) -> object:
    value = _value(source, upstream)
    if fit == "wrap":
        value = [value]
    if port.adapter is None:
        return value
    if fit == "map" and isinstance(value, list):
        return [_accepted(port, item, context, at) for item in value]
    return _accepted(port, value, context, at)


def _value(source: Source, upstream: Callable[[str], Entry | None]) -> object:
    if isinstance(source, Const):
        return source.value
    if isinstance(source, Many):
        return [_value(item, upstream) for item in source.items]
    entry = upstream(source.node)
    if entry is None:
        message = f"the value of {source.node}.{source.port} was dropped while it was needed"
        raise RuntimeError(message)
    return entry.outputs[source.port]


def _accepted(port: Input, value: object, context: NodeContext, at: str) -> object:
    """A linked value checked as a written one would be: its range, and the file it names."""
    if not isinstance(value, (str, int, float, bool, list, dict)) or port.adapter is None:
        return value
    try:
        checked: object = port.adapter.validate_python(value)
    except ValidationError as error:
        raise PatchbayError(Code.BAD_VALUE, at, value_message(error, value), port.hint) from error
    if port.resource is not None and isinstance(checked, str):
        return port.resource.resolve(checked, context.paths, context.settings, at)
    return checked


def content_key(
    step: CheckedNode, upstream: Callable[[str], Entry | None], arguments: Mapping[str, object], numerics: str
) -> str | None:
    """The key of a call by the content of its inputs, or None where some input has no content of its own."""
    if not step.type.deterministic:
        return None
    inputs: list[tuple[str, bytes]] = []
    for name, source in step.inputs.items():
        port = step.type.inputs[name]
        data = None if port.lazy else _content(port, source, step.fit.get(name), upstream, arguments[name])
        if data is None:
            return None
        inputs.append((name, data))
    return node_key(step.identity(numerics), inputs)


def _content(
    port: Input, source: Source, fit: str | None, upstream: Callable[[str], Entry | None], argument: object
) -> bytes | None:
    if isinstance(source, Const):
        return source.data
    if port.resource is not None:
        values = argument if fit == "map" and isinstance(argument, list) else [argument]
        return canonical([None if value is None else port.resource.digest(value) for value in values])
    if isinstance(source, From):
        entry = upstream(source.node)
        digest = entry.digests.get(source.port) if entry is not None else None
        return None if digest is None else (fit or "").encode() + content_bytes(digest)
    digest = content_digest(argument)
    return None if digest is None else content_bytes(digest)


def call(
    step: CheckedNode, arguments: dict[str, object], context: NodeContext, cache: MemoryCache, numerics: str
) -> Entry | Bound:
    """Run the function and return what the cache keeps, or the graph that it wants to be run in its place."""
    if step.mapped:
        return _call_each(step, arguments, context, cache, numerics)
    started = time.perf_counter()
    result = call_within(context, step.type.function, arguments)
    return entry_of(step, result, time.perf_counter() - started)


def _call_each(
    step: CheckedNode, arguments: dict[str, object], context: NodeContext, cache: MemoryCache, numerics: str
) -> Entry:
    """Once for each item, every item under a key of its own: changing one of four runs one."""
    started = time.perf_counter()
    entries: list[Entry] = []
    calls = items_of(step, arguments)
    for index, item in enumerate(calls):
        key = _item_key(step, item, numerics)
        entry = cache.get(key) if key is not None else None
        if entry is None:
            if context.cancel.is_set():
                raise Cancelled
            part = replace(context, part=(index, len(calls)))
            began = time.perf_counter()
            result = entry_of(step, call_within(part, step.type.function, item), time.perf_counter() - began)
            if isinstance(result, Bound):
                what = "A node that returns a graph cannot run once for each item of a list."
                raise PatchbayError(Code.NODE_FAILED, "", what, "Put ForEach in between.")
            entry = result
            if key is not None:
                cache.put(entry, key)
        entries.append(entry)
    return joined(step, entries, time.perf_counter() - started)


def items_of(step: CheckedNode, arguments: Mapping[str, object]) -> list[dict[str, object]]:
    """The arguments of each call of a mapped node. Raises `PatchbayError` when lists differ in length."""
    lists = {name: _listed(name, value) for name, value in arguments.items() if step.fit.get(name) == "map"}
    lengths = {name: len(value) for name, value in lists.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        what = f"Lists that run together must be of one length; {shown}."
        raise PatchbayError(Code.BAD_VALUE, "", what, "Make them equally long.")
    count = next(iter(lengths.values()))
    return [{**arguments, **{name: value[i] for name, value in lists.items()}} for i in range(count)]


def _listed(name: str, value: object) -> list[object]:
    if isinstance(value, list):
        return value
    what = f"This was declared to be a list; it is {describe(value)} of type {type(value).__name__}."
    raise PatchbayError(Code.BAD_VALUE, name, what, "Return a list.")


def _item_key(step: CheckedNode, arguments: Mapping[str, object], numerics: str) -> str | None:
    if not step.type.deterministic:
        return None
    inputs: list[tuple[str, bytes]] = []
    for name, value in arguments.items():
        resource = step.type.inputs[name].resource
        digest = content_digest(value) if resource is None or value is None else resource.digest(value)
        if digest is None:
            return None
        inputs.append((name, b"i" + digest.encode()))
    return node_key(step.identity(numerics), inputs)


def joined(step: CheckedNode, entries: Sequence[Entry], seconds: float) -> Entry:
    """The lists that a mapped node gives."""
    outputs: dict[str, object] = {}
    digests: dict[str, str | None] = {}
    for name in step.type.output_names:
        outputs[name] = [entry.outputs[name] for entry in entries]
        parts = [entry.digests[name] for entry in entries]
        digests[name] = content_digest(parts) if None not in parts else None
    return Entry(outputs, digests, seconds)


def entry_of(step: CheckedNode, result: object, seconds: float) -> Entry | Bound:
    """A function's result as outputs by port."""
    if isinstance(result, (Bound, Graph)):
        if not step.type.expands:
            what = "It returned a graph, which its annotation does not say."
            raise PatchbayError(Code.NODE_FAILED, "", what, "Annotate it with `-> T | Bound`.")
        return result.bind() if isinstance(result, Graph) else result
    names = step.type.output_names
    if getattr(result, "_fields", None) == names and isinstance(result, tuple):
        outputs = dict(zip(names, result, strict=True))
    elif len(names) == 1:
        outputs = {names[0]: result}
    elif not names:
        outputs = {}
    else:
        what = f"It should have returned {', '.join(names)} but returned {describe(result)}."
        raise PatchbayError(Code.NODE_FAILED, "", what, "Return the declared NamedTuple.")
    return Entry(outputs, {name: content_digest(value) for name, value in outputs.items()}, seconds)


def as_node_error(error: BaseException, step: CheckedNode, at: str, arguments: Mapping[str, object]) -> NodeError:
    """The error of a call in words: what failed, where, and what it was given."""
    inputs = [(name, describe(value)) for name, value in arguments.items() if not isinstance(value, LazyInput)]
    found = _worded(error, step, at, inputs)
    found.__cause__ = error
    return found


def _worded(error: BaseException, step: CheckedNode, at: str, inputs: list[tuple[str, str]]) -> NodeError:
    if isinstance(error, PatchbayError):
        return NodeError(error.code, _place(error.at, step, at), error.what, error.fix)
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        fix = "Use a smaller size or batch, half precision (--dtype float16), or close other programs."
        return NodeError(Code.OUT_OF_MEMORY, at, "There is not enough memory for this node.", fix, inputs)
    if isinstance(error, ModuleNotFoundError) and error.name:
        fix = f"pip install {error.name.partition('.')[0]}"
        return NodeError(Code.MISSING_PACKAGE, at, f'It needs the package "{error.name}".', fix)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
        what = f"A file was not written: {error.strerror}."
        return NodeError(Code.NOT_WRITTEN, at, what, "Free some space or choose another folder.")
    text = str(error) or "no message"
    what = f"{type(error).__name__}: {text}{_frame(error, step)}"
    return NodeError(Code.NODE_FAILED, at, what, "", inputs)


def _place(found: str, step: CheckedNode, at: str) -> str:
    """Where it failed as the graph names it: the node's port or, for any other word of the function's, the node."""
    if found.partition(".")[0] in step.type.inputs:
        return f"{at}.{found}"
    is_whole = found.startswith((f"{at}.", f"{at}/")) or Path(found).is_absolute()
    return found if is_whole else at


def _frame(error: BaseException, step: CheckedNode) -> str:
    """Where in the node's own file it happened: the one frame its author can act on."""
    file = getattr(getattr(step.type.function, "__code__", None), "co_filename", None)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f" (line {frames[-1].lineno} of {frames[-1].filename})" if frames else ""
