"""The OpenAPI document says what the server does, and the server does what it says, whatever is sent."""

import asyncio
import json
import random
import re
import threading
import warnings
from contextlib import contextmanager

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.web.server import kit
from tests.web.server.site import TOKEN, Site
from web.server.app import ROUTES
from web.server.pages import PAGES

EXAMPLES = 12

SHIPPED = (
    "compare_schedulers",
    "hires_fix",
    "image_to_image",
    "inpaint",
    "inspect_vae",
    "latent_arithmetic",
    "latent_direction",
    "mix_latents",
    "outpaint",
    "sigmas",
    "split_sampling",
    "text_to_image",
)

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


class QuickWorker:
    """Ends every run at once: here the requests are the point."""

    async def start(self, hear):
        self._hear, self._loop = hear, asyncio.get_running_loop()
        self._loop.call_soon(hear, {"say": "ready"}, b"")

    def send(self, message):
        if message["do"] == "run":
            about = {"id": message["job"]["id"], "attempt": message["job"]["attempt"]}
            self._loop.call_soon(self._hear, {"say": "done", **about, "state": "done"}, b"")
        elif message["do"] == "forecast":
            nodes = [{"node": "a", "state": "runs", "why": "It is new."}]
            told = {"say": "answer", "question": message["question"], "found": nodes}
            self._loop.call_soon(self._hear, told, b"")
        elif message["do"] == "inspect":
            found = {"state": "not_computed", "label": "int", "facts": [], "histogram": None, "pictures": []}
            told = {"say": "answer", "question": message["question"], "found": found}
            self._loop.call_soon(self._hear, told, b"")

    def kill(self, why):
        pass

    async def close(self):
        pass


@contextmanager
def loop_in_a_thread():
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def served(config):
    """The application on a port of its own, answered from another thread; one run is done and one waits."""
    with loop_in_a_thread() as call:
        site = call(Site.open(config))
        done = call(site.done(kit.draw(1)))
        call(site.request("PUT", "/api/graphs/mine", kit.draw(2)))
        call(site.close())
        site = call(Site.open(config, QuickWorker()))
        call(site.pause())
        waiting = call(site.submit(kit.draw(3)))
        known = {"id": [done["id"], waiting["id"]], "digest": [done["files"][0]["digest"]], "name": ["mine", *SHIPPED]}
        try:
            yield site.url, call(site.get("/api/openapi.json"))[1], known
        finally:
            call(site.close())


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


@pytest.fixture
async def document(site):
    await site.request("PUT", "/api/graphs/mine", kit.draw(2))
    status, found = await site.get("/api/openapi.json")
    assert status == 200
    return found


def test_the_document_is_sound(document):
    assert document["openapi"] == "3.1.0"
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    for path, _, operation in operations(document):
        declared = {item["name"] for item in operation.get("parameters", ()) if item["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path))
        assert operation["summary"]
        assert operation["responses"]
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere(document):
    references = set(re.findall(r"'\$ref': '([^']+)'", str(document)))
    assert references
    for reference in references:
        part = document
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]
        assert isinstance(part, dict)


async def test_every_route_is_in_it_and_says_so_itself(site, document):
    documented = {(method.upper(), path) for path, method, _ in operations(document)}
    served = {
        (route.method, resource.canonical)
        for resource in site.client.server.app.router.resources()
        for route in resource
        if resource.canonical not in (*PAGES, "/static/{path}")
    }
    assert served == {(route.method, route.template) for route in ROUTES}
    assert documented - served == {("POST", f"/api/graphs/{name}/run") for name in (*SHIPPED, "mine")}
    assert served <= documented


def test_each_saved_graph_is_an_operation_with_typed_inputs(document):
    schema = body_of(document, "/api/graphs/text_to_image/run")
    inputs = schema["properties"]["inputs"]["properties"]
    assert inputs["steps"] | {"minimum": 1, "maximum": 1000, "default": 20, "type": "integer"} == inputs["steps"]
    assert inputs["prompt"]["type"] == "string"
    assert "DPMSolverMultistep" in inputs["scheduler"]["enum"]
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid({"inputs": {"prompt": "a fox", "steps": 3}, "outputs": ["image"]})
    for wrong in ({"steps": 0}, {"prompt": 1}, {"promt": "a fox"}):
        assert not validator.is_valid({"inputs": wrong})
    assert body_of(document, "/api/graphs/mine/run")["properties"]["inputs"]["properties"]["shade"]["maximum"] == 65535


def body_of(document, path):
    return document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]


async def test_a_graph_that_cannot_be_read_is_left_out(site, home):
    (home / "graphs").mkdir(exist_ok=True)
    (home / "graphs" / "torn.json").write_text('{"version": 1, "nodes"')
    status, found = await site.get("/api/openapi.json")
    assert status == 200
    assert "/api/graphs/torn/run" not in found["paths"]
    assert (await site.get("/api/graphs"))[0] == 200


@pytest.mark.parametrize("mode", [*GenerationMode])
def test_whatever_is_sent_the_answer_is_one_of_those_documented(served, mode):
    url, document, known = served
    schema = schemathesis.openapi.from_dict(document)
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path == "/api/events":
            continue  # it has no end; its own tests read it
        tried += 1
        if mode is GenerationMode.POSITIVE or takes_something(operation.definition.raw):
            throw_at(operation, mode, url, known)
    assert tried == len([*operations(document)]) - 1


def takes_something(operation):
    """Whether there is anything that could be sent wrongly."""
    return bool(operation.get("parameters") or operation.get("requestBody"))


def throw_at(operation, mode, url, known):
    """Send what the document allows, and every second time to something that is there."""
    turn = 0

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )
    def throw(case):
        nonlocal turn
        turn += 1
        for name, values in known.items():
            if turn % 2 and name in case.path_parameters:
                case.path_parameters[name] = values[turn // 2 % len(values)]
        case.call_and_validate(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, checks=CHECKS, timeout=30)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a schema that is hard to generate from is the tool's matter
        throw()


ODD = (
    *(None, True, 0, -1, 2**53, 2**64, -(2**80), 1e308, 0.5),
    *("", "\0", "../..", "a.b", "a.b.c", ".", "né 🦊", "x" * 300, "text_to_image", "link"),
    *([], {}, [[]], {"link": "a.b"}, {"link": "load.model"}, {"link": 1}, [{"link": "sample.latent"}] * 3),
)


def mangled(value, chance):
    """The value with one place in it changed: replaced, taken out, doubled or renamed."""
    if not isinstance(value, (dict, list)) or not value or chance.random() < 0.1:
        return chance.choice(ODD)
    items = dict(value) if isinstance(value, dict) else dict(enumerate(value))
    key = chance.choice([*items])
    how = chance.random()
    if how < 0.75:
        items[key] = mangled(items[key], chance)
    elif how < 0.85:
        del items[key]
    else:
        items[str(chance.choice(ODD))] = items[key]
    return {str(name): item for name, item in items.items()} if isinstance(value, dict) else [*items.values()]


@pytest.mark.parametrize("seed", range(4))
async def test_a_graph_that_is_nearly_right_is_refused_with_reasons_or_taken(site, seed):
    await site.pause()
    chance = random.Random(seed)  # noqa: S311  # no secret
    graphs = [(await site.get(f"/api/graphs/{name}"))[1] for name in SHIPPED]
    states = set()
    for _ in range(60):
        graph = chance.choice(graphs)
        body = {"graph": graph, "inputs": {}, "outputs": [*graph["interface"]["outputs"]]}
        for _ in range(chance.randrange(1, 4)):
            body = mangled(body, chance)
        for path in ("/api/check", "/api/plan", "/api/runs"):
            status, answer = await site.post(path, data=json.dumps(body), headers={"Content-Type": "application/json"})
            assert status in (200, 202, 400, 404, 422), (body, answer)
            states.add(status)
            for problem in answer.get("problems", ()) if isinstance(answer, dict) else ():
                assert problem["what"], body
    assert {200, 400, 422} <= states
