"""A server that speaks the routes which the client uses, and misbehaves where a test wants it to."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time

from aiohttp import web

TOKEN = "secret"  # noqa: S105  # it opens nothing


class FakeServer:
    """Runs in a thread of its own. What clients did is kept in `submissions`, `uploads` and `requests`."""

    def __init__(self, token=TOKEN, prefix=""):
        self.token = token
        self.prefix = prefix
        self.runs = {}
        self.events = {}
        self.submissions = []
        self.uploads = []
        self.requests = []
        self.artifacts = {}
        self.answer = None
        """Given a request, a response in place of the usual one, or None."""
        self.script = lambda _run: [("run_queued", {}), ("run_started", {}), ("run_finished", {"state": "done"})]
        """The events of a submitted run, as (tag, fields)."""
        self.ends = {"state": "done"}
        """What a submitted run becomes at once."""
        self.cuts = []
        """After how many events each stream breaks off."""
        self.heartbeat = False

    def __enter__(self):
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)))
        self._thread.start()
        started.wait()
        return self

    def __exit__(self, *_error):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self, started):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(middlewares=[self._guard])
        app.add_routes([
            web.post(f"{self.prefix}/api/runs", self._submit),
            web.get(f"{self.prefix}/api/runs", self._list),
            web.get(f"{self.prefix}/api/runs/{{id}}", self._show),
            web.delete(f"{self.prefix}/api/runs/{{id}}", self._cancel),
            web.get(f"{self.prefix}/api/artifacts/{{digest}}", self._artifact),
            web.post(f"{self.prefix}/api/uploads", self._upload),
            web.get(f"{self.prefix}/api/events", self._stream),
        ])  # fmt: skip
        runner = web.AppRunner(app, shutdown_timeout=0, lingering_time=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}{self.prefix}"
        started.set()
        await self._stop.wait()
        await runner.cleanup()

    @web.middleware
    async def _guard(self, request, handler):
        self.requests.append(f"{request.method} {request.path_qs}")
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return problem(401, ("unauthorized", "", "The request has no token.", ""))
        found = self.answer(request) if self.answer else None
        return found if found is not None else await handler(request)

    def add(self, events=(), **fields):
        """A run, with its events as (tag, fields)."""
        number = len(self.runs) + 1
        run = {
            "id": str(number), "number": number, "name": "graph", "state": "done", "priority": 0, "attempt": 1,
            "created": time.time(), "started": None, "finished": None, "inputs": {}, "outputs": {}, "files": [],
            "error": None, "folder": None, **fields,
        }  # fmt: skip
        self.runs[run["id"]] = run
        self.events[run["id"]] = []
        for tag, body in events:
            self.tell(run["id"], tag, **body)
        return run

    def tell(self, run_id, tag, **body):
        """One event of a run."""
        sequence = 1000 * (1 + sum(map(len, self.events.values())))
        self.events[run_id].append({"sequence": sequence, "event": tag, "run": run_id, **body})

    def make(self, data, file, media_type="image/png"):
        """An artifact."""
        digest = hashlib.sha256(data).hexdigest()
        self.artifacts[digest] = data
        return {"digest": digest, "file": file, "media_type": media_type, "bytes": len(data)}

    async def _submit(self, request):
        body = await request.json()
        self.submissions.append(body)
        run = self.add(name=body["name"], inputs=body["inputs"], priority=body["priority"], **self.ends)
        for tag, fields in self.script(run):
            self.tell(run["id"], tag, **fields)
        return web.json_response(run, status=202)

    async def _list(self, request):
        query = request.query
        found = [run for run in reversed(self.runs.values()) if query.get("state", run["state"]) == run["state"]]
        found = [run for run in found if "after" not in query or run["number"] < int(query["after"])]
        page = found[: int(query["limit"])]
        return web.json_response({"runs": page, "next": page[-1]["id"] if len(page) < len(found) else None})

    async def _show(self, request):
        run = self.runs.get(request.match_info["id"])
        return web.json_response(run) if run else problem(404, ("not_found", "", "There is no such run.", ""))

    async def _cancel(self, request):
        run = self.runs[request.match_info["id"]]
        if run["state"] not in ("queued", "running"):
            return problem(409, ("conflict", run["id"], f"The run is {run['state']}.", "Only a live run is cancelled."))
        run["state"] = "cancelled"
        self.tell(run["id"], "run_finished", state="cancelled")
        return web.json_response(run)

    async def _artifact(self, request):
        return web.Response(body=self.artifacts[request.match_info["digest"]], content_type="image/png")

    async def _upload(self, request):
        data = await request.read()
        self.uploads.append((request.content_type, data))
        return web.json_response({"name": f"uploads/{hashlib.sha256(data).hexdigest()}.png"})

    async def _stream(self, request):
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": open\n\n")
        run_id, after, sent = request.query["run"], int(request.query["after"]), 0
        limit = self.cuts.pop(0) if self.cuts else None
        while not self._stop.is_set():
            for event in [event for event in self.events.get(run_id, []) if event["sequence"] > after]:
                if sent == limit:
                    request.transport.abort()
                    return response
                after, sent = event["sequence"], sent + 1
                text = web.json_response(event).text.replace("\n", "\ndata: ")
                await response.write(f"id: {after}\ndata: {text}\n\n".encode())
            if self.heartbeat:
                await response.write(b": still here\n\n")
            await asyncio.sleep(0.01)
        return response


def problem(status, *problems):
    """A refusal with its problems, as (code, at, what, fix)."""
    named = [dict(zip(("code", "at", "what", "fix"), item, strict=True)) for item in problems]
    body = {"type": "about:blank", "status": status, **named[0], "problems": named}
    return web.json_response(body, status=status, content_type="application/problem+json")
