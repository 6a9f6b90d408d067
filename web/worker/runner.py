"""Runs jobs in this process: plans a graph, runs it, and leaves its files in the job's folder."""

from __future__ import annotations

import hashlib
import io
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import Catalog, Graph, PatchbayError, plan
from engine.cache import MemoryCache
from engine.describe import describe
from engine.events import NodePreview, NodeProgress, NodeStarted, RunFinished, RunStarted
from engine.executor import Executor
from engine.explain import forecast
from engine.files import write_numbered
from engine.picture import is_picture
from web.pictures import first_picture, is_sound, is_video, kept, pictures_in
from web.text import stem_of
from web.worker.looking import look

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from threading import Event

    from engine.errors import NodeError
    from engine.events import Event as Happening
    from engine.executor import Outcome
    from engine.plan import Plan
    from web.config import Config
    from web.worker.job import Job

    Tell = Callable[[dict[str, Any], bytes], None]

PROGRESS_PACE = 0.05
"""Seconds between two progress events of one node; the last one always goes out."""

PREVIEW_PIXELS = 256

REMEMBERED = 256
"""Graphs whose last plan is kept, to say what has changed since."""


class Runner:
    """One catalogue, one executor, one cache; jobs run one after another."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._settings = config.settings()
        self._catalog = Catalog.load(config.node_folder)
        self._cache = MemoryCache(self._settings.cache_budget)
        self._executor = Executor(self._catalog, self._cache)
        self._plans: dict[str, Plan] = {}

    def run(self, job: Job, tell: Tell, cancel: Event) -> dict[str, Any]:
        """Run a job to its end; returns what the server stores of it: state, outputs, files, error."""
        try:
            wanted = self._plan(job)
            outcome = self._executor.run(wanted, _Teller(job, tell), cancel)
            self._remember(job.name, wanted)
            outputs = _keep(outcome, wanted.graph, job)
        except PatchbayError as error:
            return {"state": "failed", "error": _fault(error)}
        fault = _fault(outcome.errors[0]) if outcome.errors else None
        return {"state": outcome.state, "outputs": outputs, "files": _files(Path(job.folder)), "error": fault}

    def forecast(self, job: Job) -> list[dict[str, Any]]:
        """What a job would run and what it would reuse, node by node. Raises `PatchbayError` when it cannot run."""
        wanted = replace(self._plan(job), drawn=frozenset(job.drawn or ()))
        found = forecast(wanted, self._cache, self._plans.get(job.name))
        return [{"node": item.node, "state": item.state, "why": item.why} for item in found]

    def inspect(self, job: Job, port: str) -> dict[str, Any]:
        """What the value of "node.output" is, where the cache has it; the job runs up to that node.

        Raises `PatchbayError` when it could not run.
        """
        return look(self._plan(job), port, self._cache)

    def _plan(self, job: Job) -> Plan:
        graph = Graph.parse(job.document, folder=Path(job.base) if job.base else None)
        paths = self._config.paths(Path(job.folder))
        settings = replace(self._settings, previews=job.previews)
        return plan(graph, self._catalog, paths, settings, only=job.only, outputs=job.wanted)

    def _remember(self, name: str, wanted: Plan) -> None:
        self._plans.pop(name, None)
        self._plans[name] = wanted
        if len(self._plans) > REMEMBERED:
            del self._plans[next(iter(self._plans))]


class _Teller:
    """Passes a run's events on: progress at a pace that people can follow, previews as small pictures."""

    def __init__(self, job: Job, tell: Tell) -> None:
        self._job, self._tell = job, tell
        self._told: dict[str, float] = {}

    def __call__(self, event: Happening) -> None:
        body, picture = event.body, b""
        if isinstance(body, RunFinished) or (isinstance(body, NodeProgress) and not self._due(body)):
            return
        if isinstance(body, NodePreview):
            picture = _thumbnail(body.value)
        data = event.json()
        if isinstance(body, RunStarted):
            data["event"] = "plan_started"  # the run itself was started by the queue
        del data["sequence"]
        say = "node" if isinstance(body, NodeStarted) else "event"
        self._tell({"say": say, "id": self._job.id, "attempt": self._job.attempt, "event": data}, picture)

    def _due(self, body: NodeProgress) -> bool:
        now = time.monotonic()
        if body.done != body.total and now - self._told.get(body.node, 0.0) < PROGRESS_PACE:
            return False
        self._told[body.node] = now
        return True


def _thumbnail(value: object) -> bytes:
    """A preview as a small JPEG; nothing where it is no picture."""
    from PIL import Image  # noqa: PLC0415  # only runs with previews pay for it

    drawn = first_picture(value)
    if not drawn:
        return b""
    target = io.BytesIO()
    with Image.open(io.BytesIO(drawn), formats=("PNG",)) as picture:
        picture.thumbnail((PREVIEW_PIXELS, PREVIEW_PIXELS))
        picture.convert("RGB").save(target, "JPEG", quality=80)
    return target.getvalue()


def _keep(outcome: Outcome, graph: Graph, job: Job) -> dict[str, Any]:
    """The outputs as JSON: plain values as they are, pictures as the names of their files, the rest described."""
    found: dict[str, Any] = {}
    for name, value in outcome.outputs.items():
        pictures = pictures_in(value)
        if pictures:
            stem = Path(job.folder) / (stem_of(name) if len(outcome.outputs) > 1 else job.name)
            text = graph.dumps()
            written = [write_numbered(stem, *kept(data, text)) for data in pictures]
            found[name] = {"files": [path.name for path in written]}
        else:
            found[name] = {"value": value if is_plain(value) else f"{describe(value)} (no file; decode or save it)"}
    return found


def is_plain(value: object) -> bool:
    """Whether a value is JSON as it stands."""
    if isinstance(value, list):
        return all(map(is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(item) for key, item in value.items())
    return value is None or isinstance(value, (str, int, bool)) or (isinstance(value, float) and math.isfinite(value))


def _files(folder: Path) -> list[dict[str, Any]]:
    """Every file that the run has left in its folder, with its digest."""
    if not folder.is_dir():
        return []
    return [_artifact(path, folder) for path in sorted(folder.rglob("*")) if path.is_file() and path.name[0] != "."]


def _artifact(path: Path, folder: Path) -> dict[str, Any]:
    data = path.read_bytes()
    found: dict[str, Any] = {
        "digest": hashlib.sha256(data).hexdigest(),
        "file": path.relative_to(folder).as_posix(),
        "media_type": "application/octet-stream",
        "bytes": len(data),
    }
    if is_picture(data):
        width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
        found |= {"media_type": "image/png", "width": width, "height": height}
    elif is_video(data):
        found["media_type"] = "video/mp4"
    elif is_sound(data):
        found["media_type"] = "audio/flac"
    return found


def _fault(error: PatchbayError | NodeError) -> dict[str, Any]:
    found: Mapping[str, Any] = error.fields()
    return {key: found[key] for key in ("code", "at", "what", "fix", "inputs") if key in found}
