"""A client of the server, on the standard library alone: what `patchbay submit` and the like speak."""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from engine import Code, GraphError, PatchbayError, Problem, ServerError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from http.client import HTTPResponse
    from pathlib import Path

ADDRESS_FILE = "server.json"
SERVER_VARIABLE = "PATCHBAY_SERVER"
AUTO = "auto"
TOKEN_VARIABLE = "PATCHBAY_TOKEN"  # noqa: S105  # the variable's name

START = "Start one with `patchbay serve`, or say where it is: --server URL."

ANSWER_TIMEOUT = 30.0
"""Seconds that a server may take to answer."""

SILENCE_TIMEOUT = 45.0
"""Seconds without a sign of life after which a stream counts as lost; the server gives one every 15."""

PATIENCE = 60.0
"""Seconds that a server may be away while a run is followed, such as to be started again."""

LONGEST_LINE = 16 << 20

PAGE = 500
"""The most runs that the server puts on one page."""

IMAGE_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}
"""Media type of a picture file by its suffix."""

State = Literal["queued", "running", "done", "failed", "cancelled"]


class Artifact(TypedDict):
    """A file that a run made; `file` is its name in the run's folder, `digest` the sha256 of its content."""

    digest: str
    file: str
    media_type: str
    bytes: int


class Run(TypedDict):
    """A run as the server tells it; times are Unix seconds. An output is a plain value or a list of artifacts."""

    id: str
    number: int
    name: str
    state: State
    priority: int
    attempt: int
    created: float
    started: float | None
    finished: float | None
    inputs: dict[str, Any]
    drawn: dict[str, int]
    outputs: dict[str, Any]
    files: list[Artifact]
    error: dict[str, Any] | None
    folder: str | None


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is, and the token that opens it."""

    url: str
    token: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, text: str) -> Address:
        """From a URL as `patchbay serve` prints it, `?token=` included. Raises `PatchbayError` (`bad_value`)."""
        try:
            parts = urlsplit(text)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good:
            what = f"{text!r} is no server's address."
            raise PatchbayError(Code.BAD_VALUE, "--server", what, "Write http://127.0.0.1:8188.")
        token = parse_qs(parts.query).get("token", [None])[0]
        return cls(f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}", token)


def find_server(named: str | None, home: Path) -> Address:
    """The server that was named, that of PATCHBAY_SERVER, or the one that runs on the data folder ("auto").

    The token comes with the URL, from PATCHBAY_TOKEN, or from the running server's file, which is believed for its own
    address only. Raises `ServerError` (`no_server`) when nobody says where one is, `PatchbayError` for a broken URL.
    """
    own = _own_server(home)
    text = None if named == AUTO else named or os.environ.get(SERVER_VARIABLE)
    if text is None and own is None:
        what = f"No server runs on the data folder {home}."
        raise ServerError(Code.NO_SERVER, "", what, START)
    found = Address.read(text) if text is not None else own
    assert found is not None  # noqa: S101  # one of the two is there
    token = found.token or os.environ.get(TOKEN_VARIABLE)
    if token is None and own is not None and own.url == found.url:
        token = own.token
    return Address(found.url, token)


def _own_server(home: Path) -> Address | None:
    try:
        data = json.loads((home / ADDRESS_FILE).read_bytes())
        return Address(Address.read(str(data["url"])).url, data["token"])
    except (OSError, ValueError, LookupError, TypeError, PatchbayError):  # none runs, or it is just starting
        return None


class Client:
    """Speaks to one server. `locate` says where it is, again whenever it was lost: a new start has a new token.

    Every method raises `ServerError` (`no_server`) when nobody answers, and what the server refused as `GraphError` or
    `ServerError` with all problems.
    """

    def __init__(self, locate: Callable[[], Address]) -> None:
        self._locate = locate
        self.address = locate()

    def submit(self, submission: Mapping[str, Any]) -> Run:
        """Queue a run. It is safe once this returns."""
        return cast("Run", self._json("POST", "/api/runs", json.dumps(submission).encode()))

    def run(self, run_id: str) -> Run:
        """One run."""
        return cast("Run", self._json("GET", f"/api/runs/{quote(run_id, safe='')}"))

    def runs(self, state: str | None = None, limit: int = 50) -> list[Run]:
        """The newest runs."""
        found: list[Run] = []
        after: str | None = None
        while len(found) < limit:
            query = {"state": state, "after": after, "limit": min(limit - len(found), PAGE)}
            page = self._json("GET", f"/api/runs?{_query(query)}")
            found += page["runs"]
            after = page["next"]
            if after is None:
                break
        return found

    def cancel(self, run_id: str) -> Run:
        """Cancel a queued or running run."""
        return cast("Run", self._json("DELETE", f"/api/runs/{quote(run_id, safe='')}"))

    def upload(self, picture: Path) -> str:
        """Send a picture; returns the name by which graphs find it there.

        Raises `StoreError` (`file_not_found`) when it cannot be read.
        """
        try:
            data = picture.read_bytes()
        except OSError as error:
            what = f"The picture cannot be read: {error.strerror}."
            raise StoreError(Code.FILE_NOT_FOUND, str(picture), what, "Check the path.") from error
        media_type = IMAGE_TYPES.get(picture.suffix.lower(), "application/octet-stream")
        return str(self._json("POST", "/api/uploads", data, media_type)["name"])

    def artifact(self, digest: str) -> bytes:
        """The content of a file that a run made. Raises `StoreError` (`damaged`) when it came over broken."""
        data = self._call("GET", f"/api/artifacts/{quote(digest, safe='')}")
        if hashlib.sha256(data).hexdigest() != digest:
            what = "The file that came is not the one that the run made."
            raise StoreError(Code.DAMAGED, digest, what, "Try again.")
        return data

    def follow(self, run_id: str) -> Iterator[dict[str, Any]]:
        """The run's events from its first to its last, each once, also when the server is away for a while."""
        after, seen = 0, False
        alive = time.monotonic()
        while True:
            lost = self._absent(ConnectionError("it ended the stream"))
            try:
                for event in self._stream(run_id, after):
                    seen, alive = True, time.monotonic()
                    if event is None:
                        event = self._missed_end(run_id)  # noqa: PLW2901  # stands in for the one that is gone
                    else:
                        after = event["sequence"]
                    if event is not None and event.get("run") == run_id:
                        yield event
                        if event["event"] == "run_finished":
                            return
            except ServerError as error:
                if error.code is not Code.NO_SERVER and not (seen and error.code is Code.UNAUTHORIZED):
                    raise
                lost = error
            if time.monotonic() - alive > PATIENCE:
                raise lost
            time.sleep(0.2)
            with suppress(ServerError):
                self.address = self._locate()

    def _missed_end(self, run_id: str) -> dict[str, Any] | None:
        """The end of a run that was over so long ago that its events are no longer kept."""
        state = self.run(run_id)["state"]
        over = state not in ("queued", "running")
        return {"sequence": 0, "event": "run_finished", "run": run_id, "state": state} if over else None

    def _stream(self, run_id: str, after: int) -> Iterator[dict[str, Any] | None]:
        """Events after a number; None for a sign of life, of which the first only says that the stream is open."""
        path = f"/api/events?{_query({'run': run_id, 'after': after})}"
        with closing(self._connect(SILENCE_TIMEOUT)) as connection:
            try:
                response = self._send(connection, "GET", path, None, {"Accept": "text/event-stream"})
                if response.status != HTTPStatus.OK:
                    raise self._refusal(response, response.read())
                for number, data in enumerate(_server_sent(response)):
                    if data is not None:
                        yield self._parsed(data)
                    elif number:
                        yield None
            except (OSError, HTTPException) as error:
                raise self._absent(error) from error

    def _json(self, method: str, path: str, body: bytes | None = None, media_type: str = "application/json") -> Any:  # noqa: ANN401  # JSON
        return self._parsed(self._call(method, path, body, media_type))

    def _call(self, method: str, path: str, body: bytes | None = None, media_type: str = "") -> bytes:
        with closing(self._connect(ANSWER_TIMEOUT)) as connection:
            try:
                response = self._send(connection, method, path, body, {"Content-Type": media_type} if body else {})
                data = response.read()
            except (OSError, HTTPException) as error:
                raise self._absent(error) from error
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise self._refusal(response, data)
        return data

    def _connect(self, timeout: float) -> HTTPConnection:
        parts = urlsplit(self.address.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        return kind(str(parts.hostname), parts.port, timeout=timeout)

    def _send(
        self, connection: HTTPConnection, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> HTTPResponse:
        if self.address.token is not None:
            headers = {**headers, "Authorization": f"Bearer {self.address.token}"}
        with suppress(BrokenPipeError, ConnectionResetError):  # refused before all was sent: the answer says why
            connection.request(method, urlsplit(self.address.url).path + path, body, headers)
        return connection.getresponse()

    def _parsed(self, data: bytes) -> Any:  # noqa: ANN401  # JSON
        try:
            return json.loads(data)
        except ValueError as error:
            why = f"what it said is not JSON ({data[:40]!r})"
            raise self._stranger(why) from error

    def _absent(self, error: Exception) -> ServerError:
        told = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
        return ServerError(Code.NO_SERVER, self.address.url, f"No server answers there: {told}.", START)

    def _stranger(self, why: str) -> ServerError:
        what = f"What answers there is no Patchbay server: {why}."
        return ServerError(Code.NO_SERVER, self.address.url, what, START)

    def _refusal(self, response: HTTPResponse, data: bytes) -> PatchbayError:
        try:
            problems = [_problem(item) for item in json.loads(data)["problems"]]
        except (ValueError, LookupError, TypeError):
            problems = []
        if not problems:
            return self._stranger(f"{response.status} {response.reason}")
        if len(problems) > 1 or response.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            return GraphError(problems)
        return ServerError(problems[0].code, problems[0].at, problems[0].what, problems[0].fix)


def _query(values: Mapping[str, object]) -> str:
    return urlencode({name: value for name, value in values.items() if value is not None})


def _problem(data: Mapping[str, Any]) -> Problem:
    return Problem(code_of(data["code"]), str(data["at"]), str(data["what"]), str(data.get("fix", "")))


def code_of(text: str) -> Code:
    """The code of that name; `internal` for one that only a newer server knows."""
    return Code(text) if text in set(Code) else Code.INTERNAL


def _server_sent(response: HTTPResponse) -> Iterator[bytes | None]:
    """The data of each server-sent event, and None for a comment; other fields are passed over."""
    lines: list[bytes] = []
    while line := response.readline(LONGEST_LINE):
        text = line.rstrip(b"\r\n")
        if text.startswith(b"data:"):
            lines.append(text.removeprefix(b"data:").removeprefix(b" "))
        elif text.startswith(b":"):
            yield None
        elif not text and lines:
            yield b"\n".join(lines)
            lines = []
