"""Every error is told in one form, and nothing of the server's inside is told at all."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from engine import Code, GraphError, PatchbayError, Problem, ServerError, StoreError
from web.server.problems import POINTER, STATUS, BodyError, problem_response, problems_middleware, status_of


@pytest.fixture
async def client():
    """A server whose one route does what the test says."""

    calls = []

    async def handler(request):
        return await calls[-1](request)

    app = web.Application(middlewares=[problems_middleware])
    app.router.add_get("/", handler)
    async with TestClient(TestServer(app)) as found:
        found.does = calls.append
        yield found


def raising(error):
    async def call(_request):
        raise error

    return call


@pytest.fixture
def answer(client):
    async def ask(error):
        client.does(raising(error))
        response = await client.get("/")
        assert response.content_type == "application/problem+json"
        return response, await response.json()

    return ask


def test_every_code_has_a_status():
    assert set(STATUS) == set(Code)
    assert {STATUS[code] for code in (Code.BAD_VALUE, Code.CYCLE, Code.TOO_LARGE, Code.BAD_PICTURE)} == {422}
    server_faults = {code for code, status in STATUS.items() if status >= 500}
    assert server_faults == {Code.INTERNAL, Code.NOT_WRITTEN}


def test_a_body_that_is_too_large_is_told_apart_from_a_graph_that_is():
    problem = Problem(Code.TOO_LARGE, "", "Large.")
    assert status_of(ServerError(Code.TOO_LARGE, "", "Large.")) == 413
    assert status_of(GraphError([problem])) == 422


async def test_a_refusal_has_every_member(answer):
    response, body = await answer(PatchbayError(Code.NOT_FOUND, "fox", "There is no fox.", "Get one."))
    assert response.status == 404
    fields = {"code": "not_found", "at": "fox", "what": "There is no fox.", "fix": "Get one."}
    assert body == {
        "type": "urn:patchbay:error:not_found",
        "title": "Not found",
        "status": 404,
        "detail": "There is no fox. Get one.",
        **fields,
        "problems": [fields],
    }


async def test_a_graph_error_tells_every_problem_with_its_pointer(client):
    problems = [Problem(Code.CYCLE, "a", "One."), Problem(Code.BAD_VALUE, "b.c", "Two.", "Mend.")]

    async def call(request):
        request[POINTER] = {"a": "/graph/nodes/a"}.get
        raise GraphError(problems)

    client.does(call)
    response = await client.get("/")
    body = await response.json()
    assert (response.status, body["pointer"]) == (422, "/graph/nodes/a")
    assert [problem.get("pointer") for problem in body["problems"]] == ["/graph/nodes/a", None]
    assert body["problems"][1] == {"code": "bad_value", "at": "b.c", "what": "Two.", "fix": "Mend."}


async def test_a_bodys_problems_are_their_own_pointers(answer):
    response, body = await answer(BodyError([Problem(Code.BAD_REQUEST, "/priority", "It is no number.")]))
    assert (response.status, body["pointer"], body["problems"][0]["pointer"]) == (400, "/priority", "/priority")


async def test_so_many_problems_that_nobody_reads_them_are_cut():
    response = problem_response(GraphError([Problem(Code.CYCLE, "a", "x")] * 1000))
    assert response.text.count('"at": "a"') == 101


async def test_a_missing_token_says_how_to_send_one(answer):
    response, _ = await answer(ServerError(Code.UNAUTHORIZED, "", "No."))
    assert (response.status, response.headers["WWW-Authenticate"]) == (401, "Bearer")


async def test_a_full_disk_is_logged_and_told(answer):
    with capture_logs() as logs:
        response, _ = await answer(StoreError(Code.NOT_WRITTEN, "/a", "No space.", "Free some."))
    assert (response.status, logs[0]["code"], logs[0]["log_level"]) == (507, "not_written", "error")


@pytest.mark.parametrize("error", [RuntimeError("secret /etc/x"), ValueError("secret"), web.HTTPBadGateway()])
async def test_a_bug_tells_nothing_of_itself(answer, error):
    with capture_logs() as logs:
        response, body = await answer(error)
    if not isinstance(error, web.HTTPException):
        assert (response.status, body["code"]) == (500, "internal")
        assert logs[0]["exc_info"] is True
    assert "secret" not in await response.text()


async def test_a_route_that_is_not_there_and_a_method_that_is_not_taken(client):
    found = await client.get("/nothing")
    assert (found.status, (await found.json())["code"]) == (404, "not_found")
    assert (await found.json())["what"] == "There is nothing at /nothing."
    found = await client.post("/")
    body = await found.json()
    assert (found.status, body["code"], found.headers["Allow"]) == (405, "method_not_allowed", "GET,HEAD")
    assert body["fix"] == "It takes GET, HEAD."


@pytest.mark.parametrize(("status", "code"), [(413, "too_large"), (400, "bad_request"), (415, "wrong_media_type")])
async def test_aiohttps_own_refusals_look_like_ours(answer, status, code):
    kinds = {413: web.HTTPRequestEntityTooLarge(1, 2), 400: web.HTTPBadRequest(), 415: web.HTTPUnsupportedMediaType()}
    response, body = await answer(kinds[status])
    assert (response.status, body["code"], body["status"]) == (status, code, status)


async def test_a_redirect_is_no_error(client):
    client.does(raising(web.HTTPSeeOther("/x")))
    response = await client.get("/", allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (303, "/x")


@pytest.mark.parametrize("error", [asyncio.CancelledError(), ConnectionResetError()])
async def test_a_client_that_left_is_no_error(error):
    with capture_logs() as logs, pytest.raises(type(error)):
        await problems_middleware(None, raising(error))
    assert not logs


@pytest.mark.parametrize("error", [RuntimeError(), StoreError(Code.DAMAGED, "", "Broken.")])
async def test_an_answer_that_has_begun_is_broken_off_rather_than_mended(client, error):
    async def call(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        raise error

    client.does(call)
    with capture_logs():
        response = await client.get("/")
        with pytest.raises(Exception, match="payload"):
            await response.read()
