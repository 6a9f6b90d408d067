"""What graphs can be made of, and what they would do."""

import json
import shutil

import jsonschema
import pytest

from tests.web.server.kit import draw, one
from web.text import dumps

CHAIN = {
    "version": 1,
    "name": "chain",
    "nodes": {
        "a": {"type": "Count", "inputs": {"value": 1}},
        "b": {"type": "Next", "inputs": {"number": {"link": "a.number"}}},
        "c": {"type": "Not"},
    },
    "interface": {"inputs": {"value": "a.value"}, "outputs": {"out": "b.number", "never": "c.number"}},
}


async def test_the_catalogue_has_our_nodes_and_the_users_own(site):
    status, found = await site.get("/api/nodes")
    assert (status, found["problems"]) == (200, [])
    nodes = {node["id"]: node for node in found["nodes"]}
    assert {"LoadModel", "Sample", "VAEDecode", "Draw", "Count"} <= nodes.keys()
    assert nodes["Draw"]["inputs"][0]["name"] == "shade"
    assert "65535" in str(nodes["Draw"])


async def test_the_catalogue_is_sent_as_the_engine_describes_it(site):
    _, found = await site.get("/api/nodes")
    assert found["nodes"] == json.loads(dumps(site.service.catalog.describe()))


async def test_a_node_file_that_cannot_be_loaded_is_told_beside_the_rest(home, open_site):
    (home / "nodes" / "broken.py").write_text("import nothing_of_this_name\n")
    site = await open_site()
    _, found = await site.get("/api/nodes")
    (problem,) = found["problems"]
    assert "broken" in problem["at"]
    assert "Draw" in {node["id"] for node in found["nodes"]}
    assert (await site.done(draw(1)))["state"] == "done"


async def test_the_schema_describes_the_graphs_that_run(site):
    status, schema = await site.get("/api/schema")
    assert status == 200
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(draw(1))
    assert not validator.is_valid(draw("x"))
    assert not validator.is_valid({**draw(1), "links": []})


async def test_the_models_are_listed_with_their_kinds(site, home, tiny_folder):
    shutil.copytree(tiny_folder, home / "models" / "tiny")
    (home / "models" / "old.ckpt").write_bytes(b"\x80\x04")
    status, found = await site.get("/api/models")
    assert status == 200
    kinds = {model["name"]: model["kind"] for model in found["models"]}
    assert (kinds["pocket"], kinds["tiny"]) == ("pocket", "sd-32x4")
    assert kinds.get("old.ckpt") is None
    assert len(kinds) == len(found["models"])


async def test_the_files_of_one_sort_are_listed_by_name(site, home):
    (home / "models" / "loras").mkdir(parents=True)
    (home / "models" / "loras" / "style.safetensors").write_bytes(b"not looked into")
    status, found = await site.get("/api/models?noun=LoRA")
    assert (status, [model["name"] for model in found["models"]]) == (200, ["loras/style.safetensors"])
    assert found["models"][0]["kind"] is None
    assert await site.get("/api/models?noun=teapot") == (200, {"models": []})


async def forecast(site, graph, **more):
    status, found = await site.post("/api/plan", {"graph": graph, **more})
    assert status == 200, found
    return {item["node"]: (item["state"], item["why"]) for item in found["nodes"]}


async def test_a_plan_says_what_is_reused_and_why_the_rest_runs(site):
    before = await forecast(site, CHAIN)
    assert [state for state, _ in before.values()] == ["runs", "runs", "runs"]
    await site.done(CHAIN)
    after = await forecast(site, CHAIN)
    assert {node: state for node, (state, _) in after.items()} == {"a": "reused", "b": "reused", "c": "runs"}
    changed = await forecast(site, CHAIN, inputs={"value": 2})
    assert changed["a"][0] == "runs"
    assert "1 -> 2" in changed["a"][1]
    assert changed["b"][0] == "runs"
    assert (await forecast(site, CHAIN, outputs=["out"])).keys() == {"a", "b"}
    assert (await forecast(site, CHAIN, only="a")).keys() == {"a"}
    assert (await site.get("/api/runs"))[1]["runs"][0]["id"] == "1"


async def test_a_plan_draws_no_seed_and_says_that_one_will_be_drawn(site):
    nodes = {"a": {"type": "Noise"}, "b": {"type": "Next", "inputs": {"number": {"link": "a.number"}}}}
    graph = {
        "version": 1,
        "name": "x",
        "nodes": nodes,
        "interface": {"inputs": {"seed": "a.seed"}, "outputs": {"out": "b.number"}},
    }
    await site.done(graph)
    assert {state for state, _ in (await forecast(site, graph)).values()} == {"reused"}
    drawn = {**graph, "seeds": {"a.seed": "increment"}}
    assert await forecast(site, drawn) == {
        "a": ("runs", "a new seed is drawn for each run"),
        "b": ("runs", "`number` comes from a, which runs"),
    }
    assert {state for state, _ in (await forecast(site, drawn, inputs={"seed": 0})).values()} == {"reused"}
    greatest = {**drawn, "nodes": {**nodes, "a": {"type": "Noise", "inputs": {"seed": 2**63 - 1}}}}
    assert await site.post("/api/check", {"graph": greatest}) == (200, {"ok": True, "problems": []})


async def test_a_plan_knows_the_run_before_whatever_the_graph_is_called(site):
    graph = {**CHAIN, "name": "Three in a row, again"}
    await site.done(graph)
    changed = await forecast(site, graph, inputs={"value": 2})
    assert "1 -> 2" in changed["a"][1]


async def test_a_saved_graph_is_checked_and_planned_by_name(site):
    await site.request("PUT", "/api/graphs/mine", draw(1))
    assert await site.post("/api/check", {"name": "mine"}) == (200, {"ok": True, "problems": []})
    status, found = await site.post("/api/plan", {"name": "mine", "inputs": {"shade": 2}})
    assert (status, [item["state"] for item in found["nodes"]]) == (200, ["runs"])


async def test_the_shipped_graphs_have_no_problem_but_pictures_to_be_given(site):
    for item in (await site.get("/api/graphs"))[1]["graphs"]:
        _, verdict = await site.post("/api/check", {"name": item["name"]})
        assert {problem["code"] for problem in verdict["problems"]} <= {"file_not_found"}, item


async def test_what_cannot_run_cannot_be_planned(site):
    status, problem = await site.post("/api/plan", {"graph": one("Count", value=-1)})
    assert (status, problem["pointer"]) == (422, "/graph/nodes/count/inputs/value")


async def test_a_worker_that_is_starting_plans_nothing_yet(site):
    site.service.dispatcher._ready = False
    status, problem = await site.post("/api/plan", {"graph": draw(1)})
    assert (status, problem["code"]) == (409, "conflict")
    assert "starting" in problem["what"]


@pytest.mark.parametrize("path", ["/api/check", "/api/plan"])
async def test_a_link_round_in_a_circle_is_told(site, path):
    nodes = {
        "a": {"type": "Next", "inputs": {"number": {"link": "b.number"}}},
        "b": {"type": "Next", "inputs": {"number": {"link": "a.number"}}},
    }
    body = {"graph": {"version": 1, "nodes": nodes, "interface": {"outputs": {"out": "a.number"}}}}
    _, found = await site.post(path, body)
    assert [problem["code"] for problem in found["problems"]] == ["cycle"]
