"""How the server is, and who gets in: the guards over the real application."""

import asyncio
import http.client
from contextlib import closing
from importlib.metadata import version

import pytest
from aiohttp import ClientSession
from yarl import URL

from tests.web.server.kit import draw, one
from tests.web.server.site import TOKEN
from web.server.app import LARGEST_HEADER, ROUTES
from web.server.security import HEADERS


@pytest.fixture
async def stranger(site):
    """A client without the token."""
    async with ClientSession(site.url) as session:
        yield session


async def test_whoever_watches_over_the_server_needs_no_token(site, stranger):
    async with stranger.get("/health") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok", "version": version("patchbay")})
    async with stranger.get("/ready") as response:
        assert (response.status, await response.json()) == (200, {"ready": True, "worker": "ready"})
    site.service.dispatcher._ready = False
    assert (await site.get("/ready"))[1] == {"ready": True, "worker": "starting"}


async def test_metrics_count_what_happened(site):
    await site.done(draw(1))
    await site.wait((await site.submit(one("Fail")))["id"])
    await site.pause()
    await site.submit(draw(2))
    await site.get("/nothing")
    status, text = await site.get("/metrics")
    lines = text.decode().splitlines()
    assert status == 200
    for line in (
        'patchbay_runs_total{state="done"} 1.0',
        'patchbay_runs_total{state="failed"} 1.0',
        'patchbay_queue_runs{state="queued"} 1.0',
        "patchbay_run_seconds_count 2.0",
        "patchbay_worker_deaths_total 0.0",
        'patchbay_http_requests_total{method="POST",status="202"} 3.0',
        'patchbay_http_requests_total{method="GET",status="404"} 1.0',
    ):
        assert line in lines


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
async def test_nothing_else_is_open(site, stranger, headers):
    paths = [
        (route.method, route.template.format(id="1", digest="0", name="x")) for route in ROUTES if not route.public
    ]
    for method, path in [*paths, ("GET", "/"), ("GET", "/static/assets/index-abcd1234.js"), ("GET", "/nothing")]:
        async with stranger.request(method, path, headers=headers) as response:
            assert (response.status, (await response.json())["code"]) == (401, "unauthorized")
            assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_the_address_that_was_printed_opens_the_page(site, stranger):
    async with stranger.get(f"/?token={TOKEN}", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, "/")
        cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    name, _, value = cookie.partition(";")[0].partition("=")
    with_cookie = {"Cookie": f"{name}={value}"}
    for path in ("/", "/static/assets/index-abcd1234.js", "/static/icon.svg", "/api/runs"):
        async with stranger.get(path, headers=with_cookie) as response:
            assert response.status == 200
    async with stranger.post("/api/queue/pause", headers={**with_cookie, "Origin": site.url}) as response:
        assert response.status == 200
    async with stranger.get("/?token=wrong", allow_redirects=False) as response:
        assert response.status == 401
    async with stranger.get(f"/api/runs?token={TOKEN}") as response:
        assert response.status == 401


async def test_another_name_is_refused(site):
    for path in ("/health", "/", "/api/runs", "/static/assets/index-abcd1234.js"):
        status, problem = await site.get(path, headers={"Host": "evil.example"})
        assert (status, problem["code"]) == (421, "wrong_host")


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}]
)
async def test_another_sites_page_is_refused_even_with_the_token(site, headers):
    for method, path in (("GET", "/api/runs"), ("POST", "/api/queue/pause"), ("GET", "/api/events")):
        status, problem = await site.request(method, path, headers=headers)
        assert (status, problem["code"]) == (403, "wrong_origin")
    assert (await site.get("/api/queue"))[1]["paused"] is False


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "text/json"]
)
async def test_only_json_is_taken(site, media_type):
    for method, path in (("POST", "/api/runs"), ("POST", "/api/check"), ("PUT", "/api/graphs/x")):
        status, problem = await site.request(method, path, data=b"{}", headers={"Content-Type": media_type})
        assert (status, problem["code"]) == (415, "wrong_media_type")
    zipped = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert (await site.post("/api/runs", data=b"{}", headers=zipped))[0] in (400, 415)


async def test_every_answer_tells_browsers_what_it_is_not(site):
    for method, path, status in (
        ("GET", "/", 200),
        ("GET", "/static/assets/index-abcd1234.js", 200),
        ("GET", "/static/nothing.js", 404),
        ("GET", "/health", 200),
        ("GET", "/metrics", 200),
        ("GET", "/api/runs", 200),
        ("GET", "/api/runs/9", 404),
        ("PATCH", "/api/runs", 405),
        ("POST", "/api/runs", 415),
        ("GET", "/nothing", 404),
        ("OPTIONS", "/api/runs", 405),
    ):
        async with site.client.request(method, path, headers={"Sec-Fetch-Site": "same-origin"}) as response:
            assert response.status == status
            own = {"Cache-Control"} if status == 200 and not path.startswith(("/api", "/health", "/metrics")) else set()
            expected = {name: value for name, value in HEADERS.items() if name not in own}
            assert expected.items() <= dict(response.headers).items()
            assert response.headers["Server"] == "Patchbay"
            assert not [name for name in response.headers if name.lower().startswith("access-control")]
            assert response.content_type != "text/html" or path == "/"


async def test_a_method_that_a_route_does_not_take_names_those_it_takes(site):
    async with site.client.put("/api/runs", json={}) as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET,POST")
        problem = await response.json()
    assert problem["code"] == "method_not_allowed"
    assert "GET, POST" in problem["fix"]


async def test_nothing_beside_the_pages_is_served(site, home):
    (home / "secret.js").write_text("secret")
    for path in (
        "/static/",
        "/static",
        "/static/../app.py",
        "/static/%2e%2e/server/app.py",
        "/static/..%2fserver%2fapp.py",
        "/static/%5c..%5cserver%5capp.py",
        f"/static/{home}/secret.js",
        f"/static//{home}/secret.js",
        "/static/%00",
        "/web/server/app.py",
    ):
        status, _ = await site.get(URL(path, encoded=True))
        assert status in (403, 404)


def raw(site, data):
    """The status line's number for bytes as they are."""
    connection = http.client.HTTPConnection("127.0.0.1", site.client.port, timeout=10)
    with closing(connection):
        connection.connect()
        connection.sock.sendall(data)
        response = http.client.HTTPResponse(connection.sock)
        response.begin()
        return response.status


async def test_headers_that_are_too_large_and_nonsense_are_refused(site):
    host = f"Host: 127.0.0.1:{site.client.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
    long = "x" * (LARGEST_HEADER + 100)
    for request in (
        f"GET /health HTTP/1.1\r\n{host}X: {long}\r\n\r\n",
        f"GET /{long} HTTP/1.1\r\n{host}\r\n",
        f"GET /health HTTP/1.1\r\n{host}Content-Length: -1\r\n\r\n",
        f"POST /api/runs HTTP/1.1\r\n{host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "nonsense\r\n\r\n",
    ):
        assert 400 <= await asyncio.to_thread(raw, site, request.encode()) < 500
    large = f"POST /api/runs HTTP/1.1\r\n{host}Content-Type: application/json\r\nContent-Length: {1 << 40}\r\n\r\n"
    assert await asyncio.to_thread(raw, site, large.encode()) == 413
    assert (await site.get("/health"))[0] == 200


async def test_what_nobody_foresaw_is_answered_without_its_cause(site, monkeypatch):
    def fail(*_arguments):
        message = "a secret"
        raise RuntimeError(message)

    monkeypatch.setattr(site.service.writer, "do", fail)
    status, problem = await site.get("/api/queue")
    assert (status, problem["code"]) == (500, "internal")
    assert "secret" not in str(problem)
