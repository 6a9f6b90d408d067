"""The client against a server of the test's own: it loses nothing, and says in a sentence what went wrong."""

import json
import socket
import threading

import pytest
from aiohttp import web

from engine import Code, GraphError, PatchbayError, ServerError, StoreError
from tests.web.fake_server import TOKEN, FakeServer, problem
from web import client as client_module
from web.client import Address, Client, find_server


@pytest.fixture
def server():
    with FakeServer() as running:
        yield running


@pytest.fixture
def client(server):
    return Client(lambda: Address(server.url, TOKEN))


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    monkeypatch.delenv("PATCHBAY_SERVER", raising=False)
    monkeypatch.delenv("PATCHBAY_TOKEN", raising=False)


def refused(call, *arguments, kind=ServerError):
    with pytest.raises(kind) as caught:
        call(*arguments)
    return caught.value


@pytest.mark.parametrize(
    ("text", "url", "token"),
    [
        ("http://127.0.0.1:8188/?token=abc", "http://127.0.0.1:8188", "abc"),
        ("http://127.0.0.1:8188", "http://127.0.0.1:8188", None),
        ("https://studio.example/patchbay/?token=a%2Bb", "https://studio.example/patchbay", "a+b"),
        ("http://[::1]:8188/", "http://[::1]:8188", None),
    ],
)
def test_an_address_is_what_serve_prints(text, url, token):
    assert (Address.read(text).url, Address.read(text).token) == (url, token)


@pytest.mark.parametrize("text", ["127.0.0.1:8188", "ftp://x", "http://", "http://x:99999", "http://x:y", "http://[x"])
def test_what_is_no_address_is_refused(text):
    error = refused(Address.read, text, kind=PatchbayError)
    assert (error.code, error.at) == (Code.BAD_VALUE, "--server")
    assert error.fix == "Write http://127.0.0.1:8188."


def test_a_token_is_shown_to_nobody():
    assert "abc" not in repr(Address("http://x", "abc"))


def test_the_server_is_the_named_one_or_that_of_the_variable_or_of_the_folder(tmp_path, monkeypatch):
    error = refused(find_server, None, tmp_path)
    assert error.code == Code.NO_SERVER
    assert "patchbay serve" in error.fix
    own = {"url": "http://127.0.0.1:8188", "token": "own", "pid": 1}
    (tmp_path / "server.json").write_text(json.dumps(own))
    assert find_server(None, tmp_path) == Address("http://127.0.0.1:8188", "own")
    monkeypatch.setenv("PATCHBAY_SERVER", "http://there:1?token=x")
    assert find_server(None, tmp_path) == Address("http://there:1", "x")
    assert find_server("http://other:2", tmp_path) == Address("http://other:2", None)
    assert find_server("http://127.0.0.1:8188/", tmp_path).token == "own"  # noqa: S105  # they open nothing
    monkeypatch.setenv("PATCHBAY_TOKEN", "mine")
    assert find_server("http://other:2", tmp_path).token == "mine"  # noqa: S105
    assert find_server("http://other:2/?token=y", tmp_path).token == "y"  # noqa: S105


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"url": 5, "token": null}', '{"url": "x", "token": null}'])
def test_a_broken_file_of_a_server_is_none(tmp_path, text):
    (tmp_path / "server.json").write_text(text)
    assert refused(find_server, None, tmp_path).code == Code.NO_SERVER


def test_where_nobody_answers_the_address_and_the_fix_are_said():
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    error = refused(Client(lambda: Address(url)).run, "1")
    assert (error.code, error.at) == (Code.NO_SERVER, url)
    assert error.what == "No server answers there: Connection refused."
    assert "patchbay serve" in error.fix


def test_a_server_that_says_nothing_is_given_up(monkeypatch):
    monkeypatch.setattr(client_module, "ANSWER_TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        error = refused(Client(lambda: Address(url)).run, "1")
    assert error.what == "No server answers there: timed out."


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda _: web.Response(status=502, text="<html>"), "502 Bad Gateway."),
        (lambda _: web.Response(text="<html>"), "what it said is not JSON (b'<html>')."),
        (lambda _: web.json_response({"problems": []}, status=400), "400 Bad Request."),
        (lambda _: web.json_response([], status=400), "400 Bad Request."),
    ],
)
def test_another_program_at_the_address_is_told_apart(server, client, answer, why):
    server.answer = answer
    error = refused(client.run, "1")
    assert (error.code, error.what) == (Code.NO_SERVER, f"What answers there is no Patchbay server: {why}")


def test_a_wrong_token_is_refused(server):
    assert refused(Client(lambda: Address(server.url)).runs).code == Code.UNAUTHORIZED


def test_all_problems_of_a_graph_come_back(server, client):
    server.answer = lambda _: problem(422, ("cycle", "a", "A waits.", "Cut."), ("brand_new", "b", "B.", ""))
    error = refused(client.submit, {}, kind=GraphError)
    assert [(found.code, found.at, found.what, found.fix) for found in error.problems] == [
        (Code.CYCLE, "a", "A waits.", "Cut."),
        (Code.INTERNAL, "b", "B.", ""),
    ]


def test_a_refusal_of_the_server_itself_comes_back(server, client):
    server.add(state="done")
    error = refused(client.cancel, "1")
    assert (error.code, error.at, error.what) == (Code.CONFLICT, "1", "The run is done.")
    assert refused(client.run, "../9").code == Code.NOT_FOUND
    assert server.requests[-1] == "GET /api/runs/..%2F9"


def test_a_server_below_a_path_is_reached():
    with FakeServer(prefix="/studio") as server:
        server.add()
        assert Client(lambda: Address.read(f"{server.url}/?token={TOKEN}")).run("1")["id"] == "1"
        assert server.requests == ["GET /studio/api/runs/1"]


def test_runs_come_page_by_page(server, client):
    for number in range(700):
        server.add(state="failed" if number % 7 == 0 else "done")
    assert [run["number"] for run in client.runs(limit=600)] == list(range(700, 100, -1))
    assert len(client.runs(limit=9999)) == 700
    assert len(client.runs("failed", 9999)) == 100
    assert client.runs("queued") == []
    assert server.requests[1] == "GET /api/runs?after=201&limit=100"


@pytest.mark.parametrize(
    ("name", "media_type"), [("a.PNG", "image/png"), ("a.jpeg", "image/jpeg"), ("a", "application/octet-stream")]
)
def test_a_picture_is_sent_as_it_is(server, client, tmp_path, name, media_type):
    (tmp_path / name).write_bytes(b"picture")
    assert client.upload(tmp_path / name).startswith("uploads/")
    assert server.uploads == [(media_type, b"picture")]


def test_a_picture_that_is_not_there_is_named(client, tmp_path):
    error = refused(client.upload, tmp_path / "none.png", kind=StoreError)
    assert (error.code, error.at) == (Code.FILE_NOT_FOUND, str(tmp_path / "none.png"))


def test_a_refusal_before_all_was_sent_is_heard(server, client, tmp_path):
    server.answer = lambda _: problem(413, ("too_large", "", "The body is too large.", "Send less."))
    (tmp_path / "a.png").write_bytes(bytes(20 << 20))
    assert refused(client.upload, tmp_path / "a.png").code == Code.TOO_LARGE


def test_an_artifact_is_what_was_made(server, client):
    made = server.make(b"pixels", "a.png")
    assert client.artifact(made["digest"]) == b"pixels"
    server.artifacts[made["digest"]] = b"pixelz"
    assert refused(client.artifact, made["digest"], kind=StoreError).code == Code.DAMAGED


STEPS = [
    ("run_queued", {}),
    ("run_started", {}),
    *(("node_progress", {"node": "n", "done": done, "total": 20}) for done in range(20)),
    ("run_finished", {"state": "done"}),
]


@pytest.mark.parametrize("cuts", [[], [0], [1, 1, 1], [5, 0, 7], [22]])
def test_a_run_is_followed_without_a_gap_or_an_echo(server, client, cuts):
    server.add(STEPS)
    server.cuts = list(cuts)
    found = list(client.follow("1"))
    assert found == server.events["1"]
    assert server.cuts == []


def test_events_of_others_are_passed_over(server, client):
    server.add(STEPS)
    server.events["1"][3]["run"] = None
    assert list(client.follow("1")) == server.events["1"][:3] + server.events["1"][4:]


def test_events_on_several_lines_are_put_together(server, client):
    server.add([("node_message", {"node": "n", "text": "one\ntwo"}), ("run_finished", {"state": "done"})])
    assert next(client.follow("1"))["text"] == "one\ntwo"


def test_a_server_that_starts_again_with_another_token_is_found(server):
    server.add(STEPS)
    server.cuts = [4]
    told = []
    with FakeServer("other") as second:
        second.runs, second.events = server.runs, server.events
        place = [Address(server.url, TOKEN)]
        client = Client(lambda: place[0])
        for event in client.follow("1"):
            told.append(event)
            if len(told) == 4:
                server.token = TOKEN[::-1]  # it would refuse the old one from now on
                threading.Timer(0.5, place.__setitem__, (0, Address(second.url, "other"))).start()
    assert told == server.events["1"]


def test_a_server_that_stays_away_is_given_up_after_a_while(server, client, monkeypatch):
    monkeypatch.setattr(client_module, "PATIENCE", 0.3)
    server.add(STEPS[:3])
    events = client.follow("1")
    assert next(events)["event"] == "run_queued"
    server.answer = lambda request: request.transport.abort()
    server.cuts = [0] * 99
    server.__exit__()
    error = refused(list, events)
    assert error.code == Code.NO_SERVER
    server.__enter__()


def test_a_refusal_to_follow_ends_at_once(server, client):
    server.answer = lambda _: problem(404, ("not_found", "1", "There is no such run.", ""))
    assert refused(list, client.follow("1")).code == Code.NOT_FOUND
    assert len(server.requests) == 1


def test_a_run_whose_end_is_no_longer_kept_ends_all_the_same(server, client):
    server.add(STEPS[:2], state="failed")
    server.heartbeat = True
    assert [event["event"] for event in client.follow("1")] == ["run_queued", "run_started", "run_finished"]
