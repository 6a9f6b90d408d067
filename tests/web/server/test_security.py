"""Who gets in: by name, by page and by token; and what every answer says to browsers."""

import asyncio
from contextlib import closing

import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer, unused_port

from engine import PatchbayError
from web.server.problems import problems_middleware
from web.server.security import HEADERS, Access, protect

TOKEN = "a-token"  # noqa: S105  # the one under test


async def hello(request):
    return web.json_response({"path": request.path})


async def cached(_request):
    return web.Response(text="x", headers={"Cache-Control": "private, max-age=60", "Server": "Secret/1.0"})


async def stream(request):
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"x")
    return response


async def events(request):
    response = web.WebSocketResponse()
    await response.prepare(request)
    await response.send_str("hello")
    await response.close()
    return response


def build(access):
    app = web.Application(middlewares=[problems_middleware])
    protect(app, access)
    for path in ("/", "/health", "/ready", "/metrics", "/api/runs", "/editor", "/{tail:/.*}"):
        app.router.add_get(path, hello)
    app.router.add_post("/api/runs", hello)
    app.router.add_delete("/api/runs", hello)
    app.router.add_get("/api/cached", cached)
    app.router.add_get("/api/stream", stream)
    app.router.add_get("/api/events", events)
    return app


@pytest.fixture
async def serve():
    clients = []

    async def start(token=TOKEN, host="127.0.0.1", hosts=()):
        port = unused_port()
        client = TestClient(TestServer(build(Access(token, host, port, hosts)), host="127.0.0.1", port=port))
        await client.start_server()
        clients.append(client)
        return client

    yield start
    for client in clients:
        await client.close()


BEARER = {"Authorization": f"Bearer {TOKEN}"}


async def refusal(response):
    body = await response.json()
    assert body["fix"]
    return response.status, body["code"]


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "LocalHost"])
async def test_the_names_of_this_machine_are_ours(serve, name):
    client = await serve()
    response = await client.get("/api/runs", headers={**BEARER, "Host": f"{name}:{client.port}"})
    assert response.status == 200


@pytest.mark.parametrize(
    "name", ["evil.example:{port}", "localhost", "localhost:1", "127.0.0.1.evil.example:{port}", "10.0.0.1:{port}", ""]
)
async def test_another_name_is_refused_even_with_the_token(serve, name):
    client = await serve()
    for path in ("/api/runs", "/health", "/"):
        response = await client.get(path, headers={**BEARER, "Host": name.format(port=client.port)})
        assert await refusal(response) == (421, "wrong_host")


async def test_two_host_headers_are_refused(serve):
    client = await serve()
    reader, writer = await asyncio.open_connection(client.host, client.port)
    with closing(writer):
        host = f"Host: localhost:{client.port}\r\n"
        writer.write(f"GET /health HTTP/1.1\r\n{host}{host}\r\n".encode())
        assert (await reader.readline()).split()[1] in {b"400", b"421"}


def test_on_every_address_a_plain_address_will_do_but_no_foreign_name():
    access = Access(TOKEN, "0.0.0.0", 8188, ("pictures.example",))  # noqa: S104  # never opened
    good = ("192.168.1.5:8188", "[fe80::1]:8188", "localhost:8188", "pictures.example", "pictures.example:8188")
    assert all(map(access.is_host, good))
    assert not any(
        map(access.is_host, ("evil.example:8188", "192.168.1.5", "192.168.1.5:80", "", ":8188", "1:2:3:8188"))
    )
    assert Access(TOKEN, "::", 80).is_host("localhost")
    assert Access(TOKEN, "fe80::1", 8188).is_host("[fe80::1]:8188")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "pictures.example", ""])  # noqa: S104  # never opened
@pytest.mark.parametrize("token", [None, ""])
def test_without_a_token_nobody_listens_to_the_network(host, token):
    with pytest.raises(PatchbayError) as caught:
        Access(token, host, 8188)
    assert (caught.value.code.value, caught.value.at) == ("bad_value", "host")
    assert "--no-token" in caught.value.fix


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8"])
def test_without_a_token_this_machine_may_be_listened_to(host):
    assert Access(None, host, 8188).is_host("localhost:8188")


@pytest.mark.parametrize("token", ["tökén", "a\nb", " ", ""])
def test_a_token_that_no_header_can_carry_is_refused(token):
    with pytest.raises(PatchbayError) as caught:
        Access(token, "127.0.0.1", 8188)
    assert caught.value.at == "token"


def test_the_token_is_not_in_the_access_as_it_is_logged():
    assert TOKEN not in repr(Access(TOKEN, "127.0.0.1", 8188))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer \udcff"},
        {"Cookie": f"patchbay-1={TOKEN}"},
    ],
)
async def test_without_the_token_nothing_but_health_is_answered(serve, headers):
    client = await serve()
    for path in ("/api/runs", "/", "/metrics", "/api/events", "/nothing"):
        response = await client.get(path, headers=headers)
        assert await refusal(response) == (401, "unauthorized")
        assert response.headers["WWW-Authenticate"] == "Bearer"
    for path in ("/health", "/ready"):
        assert (await client.get(path, headers=headers)).status == 200


async def test_the_token_opens_to_programs(serve):
    client = await serve()
    assert (await client.get("/api/runs", headers=BEARER)).status == 200
    assert (await client.get("/api/runs", headers={"Authorization": f"bearer  {TOKEN}"})).status == 200


async def test_the_token_in_the_address_is_swapped_for_a_cookie(serve):
    client = await serve()
    response = await client.get(f"/editor?graph=a%20b&token={TOKEN}&x=1", allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (303, "/editor?graph=a+b&x=1")
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith(f"patchbay-{client.port}=")
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Strict", "Path=/"))
    assert TOKEN not in cookie
    assert response.headers["Cache-Control"] == "no-store"
    assert (await client.get("/api/runs")).status == 200  # the client sends the cookie


async def test_a_cookie_of_another_port_or_token_opens_nothing(serve):
    client = await serve()
    for access in (Access(TOKEN, "127.0.0.1", 1), Access("other", "127.0.0.1", client.port)):
        cookie = f"patchbay-{client.port}={access.pass_}"
        assert (await client.get("/api/runs", headers={"Cookie": cookie})).status == 401


@pytest.mark.parametrize("path", ["/?token=wrong", f"/api/runs?token={TOKEN}", f"/metrics?token={TOKEN}", "/?token="])
async def test_a_wrong_token_or_one_where_it_would_be_logged_opens_nothing(serve, path):
    client = await serve()
    response = await client.get(path, allow_redirects=False)
    assert await refusal(response) == (401, "unauthorized")
    assert "Set-Cookie" not in response.headers


async def test_the_swap_never_leads_to_another_site(serve):
    client = await serve()
    reader, writer = await asyncio.open_connection(client.host, client.port)
    with closing(writer):
        head = f"GET //evil.example/x?token={TOKEN} HTTP/1.1\r\nHost: localhost:{client.port}\r\n\r\n"
        writer.write(head.encode())
        answer = (await reader.readuntil(b"\r\n\r\n")).decode()
    assert "Location: //" not in answer
    assert "Location: http" not in answer


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:1", "http://localhost", "", "file://"]
)
async def test_a_page_of_another_site_is_refused(serve, origin):
    client = await serve(token=None)
    for method, path in (
        ("GET", "/api/runs"),
        ("POST", "/api/runs"),
        ("DELETE", "/api/runs"),
        ("OPTIONS", "/api/runs"),
    ):
        response = await client.request(method, path, headers={"Origin": origin})
        assert await refusal(response) == (403, "wrong_origin")
        assert not [name for name in response.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
async def test_what_the_browser_calls_foreign_is_refused(serve, site):
    client = await serve(token=None)
    for headers in ({}, {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, {"Sec-Fetch-Mode": "navigate"}):
        response = await client.get("/api/runs", headers={"Sec-Fetch-Site": site, **headers})
        assert await refusal(response) == (403, "wrong_origin")
    opening = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert (await client.get("/", headers=opening)).status == 200
    assert (await client.post("/api/runs", headers=opening)).status == 403


async def test_our_own_page_may_do_all(serve):
    client = await serve(token=None)
    origin = {"Origin": f"http://127.0.0.1:{client.port}", "Sec-Fetch-Site": "same-origin"}
    assert (await client.post("/api/runs", json={}, headers=origin)).status == 200
    assert (await client.delete("/api/runs", headers=origin)).status == 200


@pytest.mark.parametrize(
    "media_type", ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"]
)
async def test_what_a_form_can_send_is_refused(serve, media_type):
    client = await serve(token=None)
    response = await client.post("/api/runs", data=b"{}", headers={"Content-Type": media_type})
    assert await refusal(response) == (415, "wrong_media_type")


async def test_every_answer_has_the_headers_and_none_allows_other_sites(serve):
    client = await serve()
    answers = [
        await client.get("/api/runs", headers=BEARER),
        await client.get("/api/stream", headers=BEARER),
        await client.get("/nothing", headers=BEARER),
        await client.put("/api/runs", headers=BEARER),
        await client.get("/api/runs"),
        await client.get("/", headers={"Host": "evil"}),
    ]
    for answer in answers:
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert answer.headers["Server"] == "Patchbay"
        assert not [name for name in answer.headers if name.startswith("Access-Control")]
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


async def test_a_handler_may_say_how_long_its_answer_keeps(serve):
    client = await serve()
    response = await client.get("/api/cached", headers=BEARER)
    assert (response.headers["Cache-Control"], response.headers["Server"]) == ("private, max-age=60", "Patchbay")


async def test_a_websocket_is_guarded_like_all_else(serve):
    client = await serve()
    async with client.ws_connect("/api/events", headers=BEARER) as socket:
        assert (await socket.receive()).data == "hello"
        assert (await socket.receive()).type is WSMsgType.CLOSE
        assert socket._response.headers["Server"] == "Patchbay"
        assert socket._response.headers["X-Content-Type-Options"] == "nosniff"
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    for headers, status in (({}, 401), ({**BEARER, "Origin": "http://evil.example"}, 403), ({"Host": "evil"}, 421)):
        response = await client.get("/api/events", headers={**upgrade, **headers})
        assert response.status == status


async def test_a_token_is_not_needed_where_there_is_none(serve):
    client = await serve(token=None)
    assert (await client.get("/api/runs")).status == 200
    assert (await client.get("/?token=any", allow_redirects=False)).status == 200
