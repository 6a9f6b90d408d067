"""The whole application in this process, over a data folder of the test's own, and the few requests that tests make."""

import asyncio

from aiohttp.test_utils import TestClient, TestServer, unused_port

from tests.web.server.kit import LocalWorker
from web.server.app import Server, application
from web.server.security import Access

TOKEN = "the-token"  # noqa: S105  # of this server alone


class Site:
    """One server; `client` sends the token with every request."""

    def __init__(self, server, client):
        self.server, self.client = server, client
        self.service = server.service

    @classmethod
    async def open(cls, config, worker=None):
        server = await Server.open(config, worker or LocalWorker(config))
        port = unused_port()
        app = application(server.service, Access(TOKEN, "127.0.0.1", port))
        headers = {"Authorization": f"Bearer {TOKEN}"}
        client = TestClient(TestServer(app, host="127.0.0.1", port=port), headers=headers)
        await client.start_server()
        return cls(server, client)

    async def close(self):
        self.service.hub.close()
        await self.client.close()
        await self.server.close()

    @property
    def url(self):
        return str(self.client.make_url("")).rstrip("/")

    async def request(self, method, path, body=None, **more):
        async with self.client.request(method, path, **({} if body is None else {"json": body}), **more) as response:
            data = await response.read()
            return response.status, await response.json() if "json" in response.content_type else data

    async def get(self, path, **more):
        return await self.request("GET", path, **more)

    async def post(self, path, body=None, **more):
        return await self.request("POST", path, body, **more)

    async def submit(self, graph, **more):
        status, run = await self.post("/api/runs", {"graph": graph, **more})
        assert status == 202, run
        return run

    async def run(self, run_id):
        return (await self.get(f"/api/runs/{run_id}"))[1]

    async def wait(self, run_id, *states, seconds=60):
        async with asyncio.timeout(seconds):
            while True:
                run = await self.run(run_id)
                if run["state"] in (states or ("done", "failed", "cancelled")):
                    return run
                await asyncio.sleep(0.01)

    async def done(self, graph, **more):
        """The run of a graph, once it is done."""
        run = await self.wait((await self.submit(graph, **more))["id"])
        assert run["state"] == "done", run
        return run

    async def pause(self):
        assert await self.post("/api/queue/pause") == (200, {"paused": True})

    async def resume(self):
        assert await self.post("/api/queue/resume") == (200, {"paused": False})

    async def waiting(self):
        return [run["id"] for run in (await self.get("/api/queue"))[1]["runs"]]


def places(answer):
    """The problems of an answer: code and pointer of each."""
    return [(problem["code"], problem.get("pointer")) for problem in answer["problems"]]
