"""Run a plan: only what is wanted, each node at most once, whatever is in the cache not at all.

The thread that calls `run` coordinates. Nodes that need the device run one at a time in a thread of their own. A node
that needs none runs in the coordinating thread when nothing else is under way, which costs no hand-over, and in a pool
beside the others when something is. `async def` nodes share one event loop.
"""

from __future__ import annotations

import asyncio
import heapq
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum, auto
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from engine.cache import Entry, MemoryCache
from engine.call import Ask, as_node_error, call, content_key, entry_of, gather
from engine.context import NodeContext, call_within
from engine.errors import Cancelled, Code, GraphError, NodeError, PatchbayError
from engine.events import (
    Event,
    NodeFailed,
    NodeFinished,
    NodeReused,
    NodeSkipped,
    NodeStarted,
    RunFinished,
    RunStarted,
)
from engine.graph import Bound
from engine.plan import plan
from engine.wiring import Const, sources_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.catalog import Catalog
    from engine.events import Body
    from engine.plan import Plan
    from engine.wiring import CheckedNode

MAX_DEPTH = 64
"""How deep graphs may be returned by nodes of returned graphs."""

Listener = Callable[[Event], None]


@dataclass(frozen=True)
class Outcome:
    """How a run ended: "done", "failed" or "cancelled", with the outputs that were reached and what failed."""

    state: str
    outputs: dict[str, object]
    errors: tuple[NodeError, ...]


class Executor:
    """Runs plans over one cache, one device thread and one pool. Several threads may call `run` at the same time."""

    def __init__(self, catalog: Catalog, cache: MemoryCache, threads: int = 4) -> None:
        self.catalog = catalog
        self.cache = cache
        self._device = ThreadPoolExecutor(1, "patchbay-device", self._enter_device)
        self._device_thread: int | None = None
        self._pool = ThreadPoolExecutor(threads, "patchbay-node")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_lock = threading.Lock()

    def run(self, wanted: Plan, on_event: Listener | None = None, cancel: threading.Event | None = None) -> Outcome:
        """Run a plan to its end. `on_event` is called for each event, in order, from whichever thread it happens in.

        Setting `cancel` stops the run at the next step of what is running; everything finished stays in the cache.
        """
        return _Run(self, wanted, on_event, cancel or threading.Event()).run()

    def submit_device(self, work: Callable[[], None]) -> None:
        """Run in the device thread, after what is there already; at once when this is it.

        A device node that runs a graph waits for that graph in the device thread, so nobody else could.
        """
        if threading.get_ident() == self._device_thread:
            work()
        else:
            self._device.submit(work)

    def _enter_device(self) -> None:
        self._device_thread = threading.get_ident()

    def submit(self, work: Callable[[], None]) -> None:
        """Run in the pool."""
        self._pool.submit(work)

    def submit_async(self, work: Coroutine[Any, Any, None]) -> None:
        """Run in the event loop's thread, which is started at the first use."""
        with self._loop_lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._loop_thread = threading.Thread(target=self._loop.run_forever, name="patchbay-async", daemon=True)
                self._loop_thread.start()
        asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """End the threads; what runs is waited for."""
        self._device.shutdown()
        self._pool.shutdown()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop_thread.join()
            self._loop.close()


class _State(Enum):
    IDLE = auto()
    WAITING = auto()
    RUNNING = auto()
    DONE = auto()
    LOST = auto()
    """Failed, or skipped because something it needs failed."""


@dataclass(eq=False, slots=True)
class _Scope:
    """A plan under way: the run's own, or that of a graph that a node returned."""

    plan: Plan
    prefix: str = ""
    depth: int = 0
    tasks: dict[str, _Task] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class _Task:
    step: CheckedNode
    scope: _Scope
    id: str
    order: tuple[int, ...]
    key: str | None
    upstream: tuple[_Task, ...]
    """The tasks whose values are kept until this one is over, once for each link."""
    wanted: bool = False
    uses: int = 0
    state: _State = _State.IDLE
    waiting: int = 0
    waiters: list[_Task] = field(default_factory=list)
    asked: frozenset[str] = frozenset()
    entry: Entry | None = None
    content: str | None = None
    began: float | None = None
    inner: _Scope | None = None

    def needs(self) -> Iterable[_Task]:
        """The tasks whose values the function will be given."""
        step, ports = self.step, self.step.type.inputs
        if not step.type.lazy:
            return self.upstream
        sources = [source for name, source in step.inputs.items() if not ports[name].lazy or name in self.asked]
        return [self.scope.tasks[item.node] for source in sources for item in sources_in(source)]


_Ready = tuple[tuple[int, ...], _Task]
"""A task that can start, after its place in the order, which no other task has."""


class _Run:
    def __init__(self, executor: Executor, wanted: Plan, on_event: Listener | None, cancel: threading.Event) -> None:
        self._executor = executor
        self._cache = executor.cache
        self._plan = wanted
        self._listen = on_event
        self._cancel = cancel
        self._sequence = 0
        self._emit_lock = threading.Lock()
        self._ready: list[_Ready] = []
        self._ready_device: dict[object, list[_Ready]] = {}
        self._device_busy = False
        self._affinity: object = None
        self._flying = 0
        self._landed: SimpleQueue[tuple[_Task, Entry | Bound | BaseException, dict[str, object]]] = SimpleQueue()
        self._errors: list[NodeError] = []
        self._numerics = wanted.settings.numerics

    def run(self) -> Outcome:
        began = time.perf_counter()
        scope = self._open(self._plan, "", 0, ())
        self._emit(RunStarted(nodes=tuple(scope.tasks)))
        try:
            self._demand([scope.tasks[name] for name in self._plan.wanted])
            self._work()
        except BaseException:
            self._cancel.set()
            self._drain()
            raise
        outputs: dict[str, object] = {}
        for name, source in self._plan.outputs.items():
            entry = scope.tasks[source.node].entry
            if entry is not None:
                outputs[name] = entry.outputs[source.port]
        complete = all(scope.tasks[name].state is _State.DONE for name in self._plan.wanted)
        state = "failed" if self._errors else "done" if complete else "cancelled"
        scope.tasks.clear()  # breaks the circle with the tasks, which would keep values until a garbage collection
        self._emit(RunFinished(state=state, seconds=time.perf_counter() - began))
        return Outcome(state, outputs, tuple(self._errors))

    def _emit(self, body: Body) -> None:
        if self._listen is None:
            return
        with self._emit_lock:
            self._sequence += 1
            self._listen(Event(self._sequence, body))

    def _open(self, opened: Plan, prefix: str, depth: int, order: tuple[int, ...]) -> _Scope:
        scope = _Scope(opened, prefix, depth)
        tasks, keys = scope.tasks, opened.keys
        for place, (name, step) in enumerate(opened.steps.items()):
            upstream = tuple(
                tasks[item.node]
                for source in step.inputs.values()
                if not isinstance(source, Const)
                for item in sources_in(source)
            )
            tasks[name] = _Task(step, scope, prefix + name, (*order, place), keys[name], upstream)
            for task in upstream:
                task.uses += 1
        for source in opened.outputs.values():
            tasks[source.node].uses += 1
        for name in opened.wanted:
            tasks[name].wanted = True
        return scope

    def _demand(self, tasks: Iterable[_Task]) -> None:
        """Want these tasks: take them from the cache, or want what they need."""
        stack = list(tasks)
        while stack:
            task = stack.pop()
            if task.state is not _State.IDLE:
                continue
            entry = self._cache.get(task.key) if task.key is not None else None
            if entry is not None:
                self._emit(NodeReused(node=task.id))
                self._finish(task, entry)
            else:
                stack += self._wait(task, task.needs())

    def _wait(self, task: _Task, needed: Iterable[_Task]) -> list[_Task]:
        """Let a task wait for others; returns those that nobody wanted before."""
        task.state = _State.WAITING
        missing = {id(other): other for other in needed if other.state is not _State.DONE}
        task.waiting = len(missing)
        for other in missing.values():
            if other.state is _State.LOST:
                self._lose(task, other.id)
                return []
            other.waiters.append(task)
        if not missing:
            self._push(task)
        return [other for other in missing.values() if other.state is _State.IDLE]

    def _push(self, task: _Task) -> None:
        ready = self._ready
        if task.step.type.device:
            ready = self._ready_device.setdefault(self._affinity_of(task), [])
        heapq.heappush(ready, (task.order, task))

    def _work(self) -> None:
        while True:
            inline = None if self._cancel.is_set() else self._dispatch()
            if inline is not None:
                self._land(inline, *self._attempt(inline))
            elif self._flying:
                self._land(*self._landed.get())
            else:
                return

    def _dispatch(self) -> _Task | None:
        """Start what can start elsewhere; returns a task to run right here, or None."""
        if self._ready_device and not self._device_busy:
            self._device_busy = True
            task = self._next_for_device()
            self._start(task, self._executor.submit_device)
        while self._ready:
            _, task = heapq.heappop(self._ready)
            if task.step.type.is_async:
                self._start(task, None)
            elif self._flying or task.step.type.effect:  # writing a file must not hold up what comes next
                self._start(task, self._executor.submit)
            else:
                self._flying += 1
                return task
        return None

    def _next_for_device(self) -> _Task:
        """The ready task of the model that was used last, or the first in order."""
        groups = self._ready_device
        if self._affinity is None or self._affinity not in groups:
            self._affinity = min(groups, key=lambda known: groups[known][0])
        _, task = heapq.heappop(groups[self._affinity])
        if not groups[self._affinity]:
            del groups[self._affinity]
        return task

    def _affinity_of(self, task: _Task) -> object:
        for upstream in task.needs():
            for value in upstream.entry.outputs.values() if upstream.entry else ():
                affinity = getattr(value, "affinity", None)
                if affinity is not None:
                    return affinity
        return None

    def _start(self, task: _Task, submit: Callable[[Callable[[], None]], None] | None) -> None:
        self._flying += 1
        if submit is None:
            self._executor.submit_async(self._fly_async(task))
        else:
            submit(lambda: self._landed.put((task, *self._attempt(task))))

    def _prepare(self, task: _Task) -> tuple[NodeContext, dict[str, object], Entry | None]:
        """The arguments of a call, and its result where the same content was computed before."""
        scope = task.scope
        settings, paths = scope.plan.settings, scope.plan.paths
        context = NodeContext(task.id, self._emit, self._cancel, settings, paths, graph=self._plan.graph)

        def upstream(name: str) -> Entry | None:
            return scope.tasks[name].entry

        arguments = gather(task.step, upstream, context, task.id)
        task.content = content_key(task.step, upstream, arguments, self._numerics)
        found = self._cache.get(task.content) if task.content is not None and task.content != task.key else None
        if found is None and task.began is None:
            task.began = time.perf_counter()
            self._emit(NodeStarted(node=task.id))
        return context, arguments, found

    def _attempt(self, task: _Task) -> tuple[Entry | Bound | BaseException, dict[str, object]]:
        """Run a task where we are; whatever comes of it lands in the coordinating thread."""
        task.state = _State.RUNNING
        arguments: dict[str, object] = {}
        try:
            context, arguments, found = self._prepare(task)
            return found or call(task.step, arguments, context, self._cache, self._numerics), arguments
        except BaseException as error:  # noqa: BLE001  # a node may raise anything; only its own result is lost
            return error, arguments

    async def _fly_async(self, task: _Task) -> None:
        task.state = _State.RUNNING
        arguments: dict[str, object] = {}
        result: Entry | Bound | BaseException
        try:
            context, arguments, found = self._prepare(task)
            result = found or await self._await(task, arguments, context)
        except BaseException as error:  # noqa: BLE001  # a node may raise anything; only its own result is lost
            result = error
        self._landed.put((task, result, arguments))

    async def _await(self, task: _Task, arguments: dict[str, object], context: NodeContext) -> Entry | Bound:
        step, began = task.step, time.perf_counter()
        if step.mapped:
            what = "An async node cannot run once for each item of a list."
            raise PatchbayError(Code.NODE_FAILED, "", what, "Put ForEach in between.")
        waiting = call_within(context, lambda: asyncio.ensure_future(step.type.function(**arguments)), {})
        while not (await asyncio.wait([waiting], timeout=0.05))[0]:
            if self._cancel.is_set():
                waiting.cancel()
                raise Cancelled
        return entry_of(step, await waiting, time.perf_counter() - began)

    def _land(self, task: _Task, result: Entry | Bound | BaseException, arguments: dict[str, object]) -> None:
        self._flying -= 1
        if task.step.type.device:
            self._device_busy = False
        match result:
            case Entry():
                self._keep(task, result)
            case Bound():
                self._expand(task, result)
            case Ask(name=name):
                self._answer(task, name)
            case Cancelled():
                task.state = _State.IDLE
            case KeyboardInterrupt():
                raise result
            case _:
                self._fail(task, as_node_error(result, task.step, task.id, arguments))

    def _keep(self, task: _Task, entry: Entry) -> None:
        if task.began is None:
            self._emit(NodeReused(node=task.id))
            if task.key is not None and task.content is not None:
                self._cache.alias(task.key, task.content)
        else:
            keys = {key for key in (task.key, task.content) if key is not None}
            if keys and task.step.type.deterministic:
                self._cache.put(entry, *keys)
            self._emit(NodeFinished(node=task.id, seconds=time.perf_counter() - task.began))
        self._finish(task, entry)

    def _answer(self, task: _Task, name: str) -> None:
        """A function asked for a lazy input: run it again once the value is there."""
        task.asked |= {name}
        self._demand(self._wait(task, task.needs()))

    def _finish(self, task: _Task, entry: Entry) -> None:
        task.entry = entry if task.uses else None
        task.state = _State.DONE
        for waiter in task.waiters:
            waiter.waiting -= 1
            if not waiter.waiting and waiter.state is _State.WAITING:
                if waiter.inner is None:
                    self._push(waiter)
                else:
                    self._close(waiter, waiter.inner)
        task.waiters.clear()
        self._release(task.upstream)

    def _release(self, tasks: Iterable[_Task]) -> None:
        """One use of each is over; a value without uses is dropped, and a task without uses uses nothing either."""
        stack = list(tasks)
        while stack:
            task = stack.pop()
            task.uses -= 1
            if not task.uses:
                task.entry = None
                if task.state is _State.IDLE and not task.wanted:
                    stack += task.upstream

    def _fail(self, task: _Task, error: NodeError) -> None:
        self._errors.append(error)
        self._emit(NodeFailed(node=task.id, error=error))
        self._lose(task, task.id)

    def _lose(self, task: _Task, because: str) -> None:
        """A task and all that waits for it will not be done."""
        stack = [task]
        while stack:
            lost = stack.pop()
            if lost.state is _State.LOST:
                continue
            lost.state = _State.LOST
            if lost.id != because:
                self._emit(NodeSkipped(node=lost.id, because=because))
            self._release(lost.upstream)
            stack += lost.waiters
            lost.waiters = []

    def _expand(self, task: _Task, bound: Bound) -> None:
        """Run the graph that a function returned in the function's place."""
        try:
            inner = self._plan_inner(task, bound)
        except PatchbayError as error:
            self._fail(task, as_node_error(error, task.step, task.id, {}))
            return
        task.inner = self._open(inner, f"{task.id}/", task.scope.depth + 1, task.order)
        wanted = [task.inner.tasks[name] for name in inner.wanted]
        task.state, task.waiting = _State.WAITING, len(wanted)
        for other in wanted:
            other.waiters.append(task)
        self._demand(wanted)

    def _plan_inner(self, task: _Task, bound: Bound) -> Plan:
        if task.scope.depth >= MAX_DEPTH:
            what = f"Graphs return graphs {MAX_DEPTH} deep."
            raise PatchbayError(Code.TOO_LARGE, "", what, "End the loop, or write it with Repeat.")
        outer = task.scope.plan
        try:
            inner = plan(bound.graph, self._executor.catalog, outer.paths, outer.settings, given=bound.values)
        except GraphError as error:
            first = error.problems[0].moved(f"{task.id}/")
            raise PatchbayError(first.code, first.at, first.what, first.fix) from error
        missing = [name for name in self._names(task, inner).values() if name not in inner.outputs]
        if missing:
            what = f"The graph it returned has no output {', '.join(missing)}."
            raise PatchbayError(Code.NODE_FAILED, "", what, "Name the interface's outputs after the node's.")
        return inner

    def _names(self, task: _Task, inner: Plan) -> dict[str, str]:
        """The inner output for each port; a single one may have any name."""
        names = task.step.type.output_names
        if len(names) == 1 and len(inner.outputs) == 1:
            return {names[0]: next(iter(inner.outputs))}
        return {name: name for name in names}

    def _close(self, task: _Task, scope: _Scope) -> None:
        """Everything that a returned graph was wanted for is done."""
        sources = {name: scope.plan.outputs[public] for name, public in self._names(task, scope.plan).items()}
        entries = {name: entry for name, source in sources.items() if (entry := scope.tasks[source.node].entry)}
        outputs = {name: entry.outputs[sources[name].port] for name, entry in entries.items()}
        digests = {name: entry.digests[sources[name].port] for name, entry in entries.items()}
        self._release(scope.tasks[source.node] for source in scope.plan.outputs.values())
        seconds = time.perf_counter() - (task.began or 0)
        self._keep(task, Entry(outputs, digests, seconds))

    def _drain(self) -> None:
        while self._flying:
            self._landed.get()
            self._flying -= 1
