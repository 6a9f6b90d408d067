"""What the editor asks to draw a graph."""

import asyncio

import pytest

from tests.web.server.kit import draw, one


async def look(site, graph, port, **more):
    status, found = await site.post("/api/inspect", {"graph": graph, "port": port, **more})
    assert status == 200, found
    return found


async def test_a_value_is_seen_once_it_is_computed(site):
    graph = one("Count", value=3)
    assert (await look(site, graph, "count.number"))["state"] == "not_computed"
    await site.done(graph)
    found = await look(site, graph, "count.number")
    assert found == {
        "state": "here", "label": "int", "facts": [{"name": "value", "value": "3"}], "histogram": None, "pictures": []
    }  # fmt: skip
    assert (await look(site, graph, "count.number", inputs={"value": 4}))["state"] == "not_computed"
    await site.request("PUT", "/api/graphs/mine", graph)
    status, found = await site.post("/api/inspect", {"name": "mine", "port": "count.number"})
    assert (status, found["state"]) == (200, "here")
    assert len((await site.get("/api/runs"))[1]["runs"]) == 1


async def test_a_latent_and_a_picture_of_the_model_in_the_box_are_seen(site):
    inputs = {"steps": 1, "width": 64, "height": 64}
    _, graph = await site.get("/api/graphs/text_to_image")
    await site.done(graph, inputs=inputs)
    latent = await look(site, graph, "sample.latent", inputs=inputs)
    assert (latent["state"], latent["label"], len(latent["pictures"])) == ("here", "Latent[pocket]", 4)
    assert {"name": "in pixels", "value": "64 x 64"} in latent["facts"]
    picture = await look(site, graph, "decode.image", inputs=inputs)
    assert (picture["label"], [(shown["width"], shown["height"]) for shown in picture["pictures"]]) == (
        "Image",
        [(64, 64)],
    )


async def test_a_value_is_seen_while_another_run_is_under_way(site):
    await site.done(one("Count", value=3))
    run = await site.submit(one("Wait", seconds=30.0, steps=300))
    await site.wait(run["id"], "running")
    async with asyncio.timeout(10):
        assert (await look(site, one("Count", value=3), "count.number"))["state"] == "here"
    assert (await site.run(run["id"]))["state"] == "running"
    await site.request("DELETE", f"/api/runs/{run['id']}")
    await site.wait(run["id"])


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ({"graph": draw(1), "port": "draw"}, 400, "bad_request", "/port"),
        ({"graph": draw(1), "port": "draw.drawing", "only": "x"}, 400, "bad_request", "/only"),
        ({"port": "draw.drawing"}, 400, "bad_request", ""),
        ({"graph": draw(-1), "port": "draw.drawing"}, 422, "bad_value", "/graph/nodes/draw/inputs/shade"),
        ({"graph": draw(1), "port": "drew.drawing"}, 422, "unknown_node", "/graph"),
        ({"graph": draw(1), "port": "draw.drawn"}, 422, "unknown_port", "/graph/nodes/draw/inputs/drawn"),
    ],
)
async def test_what_cannot_be_looked_at_is_refused(site, body, status, code, pointer):
    found, problem = await site.post("/api/inspect", body)
    assert (found, problem["code"], problem["problems"][0]["pointer"]) == (status, code, pointer)


CHAIN = {
    "version": 1,
    "nodes": {
        "b": {"type": "Next", "inputs": {"number": {"link": "a.number"}}},
        "a": {"type": "Count"},
        "c": {"type": "Nowhere", "inputs": {"x": {"link": "b.number"}, "y": {"link": "c.z"}}},
    },
    "layout": {"b": [100, 50, 300], "a": [400, 20]},
}


async def test_a_graph_is_laid_out_whatever_is_wrong_with_it(site):
    status, found = await site.post("/api/layout", {"graph": CHAIN, "sizes": {"a": [500, 100]}})
    assert status == 200
    assert found == {"layout": {"b": [680, 20], "a": [100, 20], "c": [1060, 20]}}
    status, found = await site.post("/api/layout", {"graph": CHAIN, "only": ["b", "c"]})
    assert (status, found) == (200, {"layout": {"b": [100, 50], "c": [480, 50]}})


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ({"graph": CHAIN, "only": ["z"]}, 422, "unknown_node", "/graph"),
        ({"graph": CHAIN, "sizes": {"a": [0, 1]}}, 400, "bad_request", "/sizes/a/0"),
        ({"graph": CHAIN, "sizes": {"a": [1]}}, 400, "bad_request", "/sizes/a"),
        ({"graph": {"version": 1, "nods": {}}}, 422, "unknown_key", "/graph/nods"),
        ({"name": "text_to_image"}, 400, "bad_request", "/graph"),
    ],
)
async def test_what_cannot_be_laid_out_is_refused(site, body, status, code, pointer):
    found, problem = await site.post("/api/layout", body)
    assert (found, problem["code"], problem["problems"][0]["pointer"]) == (status, code, pointer)


async def test_a_graph_of_too_many_nodes_is_not_laid_out(site, monkeypatch):
    monkeypatch.setattr("web.server.submission.MOST_NODES", 2)
    status, problem = await site.post("/api/layout", {"graph": CHAIN})
    assert (status, problem["code"], problem["at"]) == (422, "too_large", "nodes")
