"""A run on a server, seen from the terminal: sent, followed, told, and its files fetched."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from rich.markup import escape

from engine import Code, NodeError, PatchbayError
from engine.events import Event as Happening
from engine.events import RunFinished, read_event
from engine.executor import Outcome
from engine.files import write_numbered
from web.client import IMAGE_TYPES, Client, code_of, find_server
from web.shell import DONE, FAILED, interface_values, print_outcome, stopping
from web.terminal import Bar, Lines, print_error, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine import Graph
    from web.client import Artifact, Run
    from web.config import Config
    from web.flags import Given
    from web.shell import Opened


@dataclass(frozen=True)
class Request:
    """What the command line asks of a server."""

    opened: Opened
    given: Given
    priority: int = 0
    only: str | list[str] | None = None

    def body(self, client: Client) -> dict[str, Any]:
        """The submission, once the pictures that it names are uploaded."""
        values = {path: self._sent(client, value) for path, value in self.given.values.items()}
        interface = self.opened.graph.document.interface.inputs
        inputs = {name: values[path] for name, path in interface.items() if path in values}
        sets = {path: value for path, value in values.items() if path not in interface.values()}
        graph = self.opened.graph.pinned(None if self.opened.is_picture else sets)
        body = {
            "graph": json.loads(graph.with_values(sets).dumps()),
            "inputs": inputs,
            "priority": self.priority,
            "name": self.opened.label,
            "idempotency_key": str(uuid4()),
        }
        return {**body, "only": self.only} if self.only is not None else body

    def _sent(self, client: Client, value: Any) -> Any:  # noqa: ANN401  # JSON
        file = Path(value) if isinstance(value, str) else None
        if file is not None and file in self.given.files and file.suffix.lower() in IMAGE_TYPES:
            return client.upload(file)
        return value


def client_of(config: Config, server: str | None) -> Client:
    """A client of the server that the user means. Raises `ServerError` (`no_server`), `PatchbayError`."""
    return Client(lambda: find_server(server, config.home))


def run_there(request: Request, config: Config, server: str | None, folder: Path, *, as_json: bool) -> int:
    """Run on a server, fetch the files into `folder`, and give the exit code. Raises `PatchbayError` for a refusal."""
    client = client_of(config, server)
    run = client.submit(request.body(client))
    return follow(client, run, request.opened.graph, folder, as_json=as_json)


def follow(client: Client, run: Run, graph: Graph, folder: Path | None, *, as_json: bool) -> int:
    """Draw a run until it ends, say what came of it, and give the exit code. With `folder`, its files are fetched."""
    try:
        with (
            Lines() if as_json else Bar() as listener,
            _cancelling(client, run["id"], listener) as cancel,
            stopping(cancel, listener),
        ):
            for number, event in enumerate(_told(client, run["id"], listener), 1):
                listener(Happening(number, event.body))
        ended = client.run(run["id"])
        saved = _fetched(client, ended, folder) if folder is not None else _located(ended)
    except PatchbayError as error:
        if as_json:
            print_json({"event": "result", "state": "unknown", "run": run["id"], "errors": [error.fields()]})
        else:
            print_error(error)
        return FAILED
    _report(ended, saved, graph, listener, as_json=as_json)
    return DONE if ended["state"] == "done" else FAILED


def _told(client: Client, run_id: str, listener: Bar | Lines) -> Iterator[Happening]:
    """The events that the terminal draws, as the engine has them."""
    began: float | None = None
    for data in client.follow(run_id):
        match data["event"]:
            case "run_queued":
                why = f" again: {data['because']}" if data.get("because") else "."
                listener.say(escape(f"Run {run_id} is queued{why}"))
            case "run_started":
                began = data.get("at")
            case "plan_started":
                yield read_event({**data, "event": "run_started"})
            case "run_finished":
                seconds = data["at"] - began if began is not None and "at" in data else 0.0
                yield Happening(0, RunFinished(state=data["state"], seconds=seconds))
            case tag if tag.startswith("node_"):
                try:
                    yield read_event(data)
                except ValueError:  # of a newer server; what it means for the outcome is told at the end
                    continue


@contextmanager
def _cancelling(client: Client, run_id: str, listener: Bar | Lines) -> Iterator[Event]:
    """An event that cancels the run on its server when it is set."""
    cancel, over = Event(), Event()

    def watch() -> None:
        cancel.wait()
        if not over.is_set():
            try:
                client.cancel(run_id)
            except PatchbayError as error:
                if error.code is not Code.CONFLICT:  # it has just ended by itself
                    listener.say(escape(str(error)))

    watcher = Thread(target=watch, name="patchbay-cancel", daemon=True)
    watcher.start()
    try:
        yield cancel
    finally:
        over.set()
        cancel.set()
        watcher.join()


def _is_artifacts(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and {"digest", "file"} <= item.keys() for item in value)
    )


def _located(run: Run) -> dict[str, object]:
    """The outputs, files by where they are on the server's machine."""
    folder = Path(run["folder"] or "")
    return {
        name: [str(folder / item["file"]) for item in value] if _is_artifacts(value) else value
        for name, value in run["outputs"].items()
    }


def _fetched(client: Client, run: Run, folder: Path) -> dict[str, object]:
    """The outputs, files by where they were written to here; so are files that nodes saved by themselves."""
    found: dict[str, object] = {}
    outputs = run["outputs"]
    rest = list(run.get("files") or [])
    for name, value in outputs.items():
        found[name] = value
        if _is_artifacts(value):
            label = run["name"] if len(outputs) == 1 else f"{run['name']}-{name}"
            found[name] = [_fetch(client, item, folder / _plain(label)) for item in value]
            rest = [item for item in rest if item["file"] not in {known["file"] for known in value}]
    if rest:
        found["files"] = [_fetch(client, item, folder / _stem(item["file"])) for item in rest]
    return found


def _fetch(client: Client, artifact: Artifact, stem: Path) -> str:
    suffix = Path(artifact["file"]).suffix
    return str(
        write_numbered(
            stem, suffix if re.fullmatch(r"\.\w{1,8}", suffix) else ".bin", client.artifact(artifact["digest"])
        )
    )


def _stem(file: str) -> str:
    """A file's name without folder, number and ending."""
    return _plain(re.sub(r"-\d{4,}$", "", Path(file).stem))


def _plain(name: str) -> str:
    """A name that is no path, whatever a server calls things."""
    return re.sub(r"[^\w .-]", "_", name).strip(" .") or "file"


def _report(run: Run, saved: dict[str, object], graph: Graph, listener: Bar | Lines, *, as_json: bool) -> None:
    drawn = run.get("drawn", {})  # a server of before has none
    shown = {name: drawn[path] for name, path in graph.document.interface.inputs.items() if path in drawn}
    values = {**interface_values(graph), **shown, **run["inputs"]}
    used = {name: value for name, value in values.items() if value is not None}
    if as_json:
        errors = [run["error"]] if run["error"] else []
        result = {"event": "result", "state": run["state"], "outputs": saved, "inputs": used, "errors": errors}
        print_json({**result, "run": run["id"]})
        return
    errors_told = (fault_of(run["error"]),) if run["error"] else ()
    print_outcome(Outcome(run["state"], {}, errors_told), saved, used, listener)


def fault_of(data: dict[str, Any]) -> NodeError:
    """Why a run failed, as the error it was."""
    inputs = data.get("inputs") or {}
    return NodeError(code_of(data["code"]), data["at"], data["what"], data.get("fix", ""), inputs.items())
