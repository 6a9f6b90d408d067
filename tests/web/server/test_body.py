"""Bodies: the right type, bounded in bytes, time and depth, and strict."""

import asyncio
import json
import time
from contextlib import closing

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import BaseModel, ConfigDict, Field, field_validator
from structlog.testing import capture_logs

from engine import ServerError
from web.server import body
from web.server.body import parse_json, parse_model, read_bytes, read_json
from web.server.problems import BodyError, problems_middleware

LIMIT = 1000


@pytest.fixture
async def client():
    async def echo(request):
        return web.json_response(await read_json(request, LIMIT, 0.3))

    async def large(request):
        return web.json_response(len(json.dumps(await read_json(request))))

    async def raw(request):
        return web.Response(body=await read_bytes(request, LIMIT, 0.3, ("image/png", "image/jpeg")))

    app = web.Application(middlewares=[problems_middleware])
    app.router.add_post("/", echo)
    app.router.add_post("/large", large)
    app.router.add_post("/raw", raw)
    async with TestClient(TestServer(app)) as found:
        yield found


@pytest.fixture
def send(client):
    async def post(data, path="/", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = await client.post(path, data=data, headers={"Content-Type": "application/json", **named})
        return response.status, await response.json()

    return post


@pytest.fixture
def speak(client):
    """Send bytes as they are, and give the head of the answer."""

    async def talk(head, *rest, pause=0.0):
        reader, writer = await asyncio.open_connection(client.host, client.port)
        with closing(writer):
            writer.write(head)
            for piece in rest:
                await asyncio.sleep(pause)
                writer.write(piece)
            return await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)

    return talk


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


async def test_a_body_is_read(send):
    assert await send('{"a": [1, "ü"]}') == (200, {"a": [1, "ü"]})


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])
async def test_another_type_is_refused_before_anything_is_read(send, media_type):
    status, found = await send("{}", Content_Type=media_type)
    assert (status, found["code"], found["fix"]) == (415, "wrong_media_type", "Send it as application/json.")


async def test_a_missing_type_is_refused(speak):
    assert b" 415 " in await speak(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")


async def test_the_types_of_a_route_are_its_own(client):
    response = await client.post("/raw", data=b"\0\1", headers={"Content-Type": "image/png"})
    assert (response.status, await response.read()) == (200, b"\0\1")
    response = await client.post("/raw", data=b"{}", headers={"Content-Type": "application/json"})
    assert (await response.json())["fix"] == "Send it as image/png or image/jpeg."


async def test_a_compressed_body_is_refused(client):
    head = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    response = await client.post("/", data=b"\x1f\x8b", headers=head)
    assert response.status in {400, 415}


async def test_a_body_that_says_it_is_huge_is_refused_unread(speak):
    assert b" 413 " in await speak(HEAD + b"Content-Length: 99999999999999\r\n\r\n")


async def test_a_body_that_does_not_say_its_size_is_bounded_as_it_comes(client):
    async def endless():
        while True:
            yield b" " * 600

    response = await client.post("/", data=endless(), headers={"Content-Type": "application/json"})
    assert (response.status, (await response.json())["what"]) == (413, "The body is larger than 1000 bytes.")


async def test_a_body_that_trickles_is_given_up(speak):
    began = time.monotonic()
    answer = await speak(HEAD + b"Content-Length: 40\r\n\r\n", *[b" "] * 10, pause=0.1)
    assert b" 408 " in answer
    assert time.monotonic() - began < 2


async def test_a_body_with_broken_framing_ends_like_one_that_never_comes(speak):
    answer = await speak(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"ZZ\r\n\r\n", pause=0.05)
    assert b" 400 " in answer or b" 408 " in answer


@pytest.mark.parametrize("framing", [b"Content-Length: 40", b"Transfer-Encoding: chunked"])
async def test_a_client_that_leaves_amid_its_body_is_no_bug(client, framing):
    with capture_logs() as logs:
        _, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(HEAD + framing + b"\r\n\r\n")
        await asyncio.sleep(0.05)
        writer.close()
        await asyncio.sleep(0.4)
    assert not logs


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"{", "This is not JSON"),
        (b"", "This is not JSON"),
        (b'{"a": 1, "a": 2}', '"a" stands twice'),
        (b"[NaN]", "NaN is no JSON value"),
        (b"[-Infinity]", "-Infinity is no JSON value"),
        (b"[1e999]", "too large"),
        (b'["\xff"]', "not UTF-8"),
        (b'["\\ud800"]', "not UTF-8"),
        (b"1" * 900 + b"x", "This is not JSON"),
    ],
)
async def test_what_is_not_strict_json_is_refused(send, text, what):
    status, found = await send(text)
    assert (status, found["code"]) == (400, "broken_json")
    assert what in found["what"]


async def test_broken_json_has_its_line_and_column(send):
    assert (await send(b'{"a":\n  x}'))[1]["at"] == "body:2:3"


def test_json_may_be_a_hundred_deep_and_no_deeper():
    assert parse_json(b"[" * 100 + b"]" * 100)
    assert parse_json(b'{"a":' * 99 + b"[]" + b"}" * 99)
    for depth in (101, 900, 100_000):
        with pytest.raises(ServerError) as caught:
            parse_json(b"[" * depth + b"]" * depth)
        assert (caught.value.code.value, caught.value.what) == ("too_large", "The JSON is nested more than 100 deep.")


async def test_a_large_body_is_parsed_beside_the_loop(send, monkeypatch):
    threads = []
    to_thread = asyncio.to_thread

    async def spy(call, *arguments):
        threads.append(call)
        return await to_thread(call, *arguments)

    monkeypatch.setattr(body.asyncio, "to_thread", spy)
    assert (await send("[1]", "/large"))[0] == 200
    assert not threads
    assert await send(json.dumps(["x" * 70_000]), "/large") == (200, 70_004)
    assert threads == [parse_json]


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: int


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")
    priority: int = Field(ge=0)
    items: dict[str, Inner] = {}
    word: str = ""

    @field_validator("word")
    @classmethod
    def check(cls, value):
        if value == "bad":
            message = "this word is bad"
            raise ValueError(message)
        return value


def test_a_body_in_the_right_form_becomes_the_model():
    assert parse_model(Order, {"priority": 1}).priority == 1


def test_every_problem_of_a_body_has_its_pointer():
    data = {"priority": -1, "items": {"a/b": {"size": "x"}, "c": {}}, "extra~": 1, "word": "bad"}
    with pytest.raises(BodyError) as caught:
        parse_model(Order, data, "/body")
    found = {problem.at: problem.what for problem in caught.value.problems}
    assert found == {
        "/body/priority": "Input should be greater than or equal to 0.",
        "/body/items/a~1b/size": "Input should be a valid integer, unable to parse string as an integer.",
        "/body/items/c/size": "This is missing.",
        "/body/extra~0": '"extra~" is not known here.',
        "/body/word": "this word is bad.",
    }
    assert {problem.code.value for problem in caught.value.problems} == {"bad_request"}


def test_a_body_that_is_no_object_is_refused_as_a_whole():
    with pytest.raises(BodyError) as caught:
        parse_model(Order, [])
    assert caught.value.at == ""
