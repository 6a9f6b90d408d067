"""Saved graphs over HTTP: nobody's change is lost, every version is kept."""

import asyncio
import io

import pytest

from tests.web.server.kit import draw
from tests.web.server.site import places


async def put(site, name, graph, **headers):
    """Status, ETag and body."""
    headers = {key.replace("_", "-"): value for key, value in headers.items()}
    async with site.client.put(f"/api/graphs/{name}", json=graph, headers=headers) as response:
        return response.status, response.headers.get("ETag"), await response.json()


async def etag_of(site, name):
    async with site.client.get(f"/api/graphs/{name}") as response:
        return response.headers["ETag"]


def shade_of(graph):
    return graph["nodes"]["draw"]["inputs"]["shade"]


async def test_a_graph_is_saved_and_read_back(site, home):
    status, etag, saved = await put(site, "mine", draw(1))
    assert (status, saved) == (200, draw(1))
    async with site.client.get("/api/graphs/mine") as response:
        text = await response.text()
        assert (response.status, response.headers["ETag"]) == (200, etag)
    assert (home / "graphs" / "mine.json").read_text() == text
    async with site.client.get("/api/graphs/mine", headers={"If-None-Match": f'"x", {etag}'}) as response:
        assert (response.status, await response.read()) == (304, b"")


async def test_a_graph_is_replaced_only_by_who_has_seen_it(site):
    _, first, _ = await put(site, "mine", draw(1))
    status, _, problem = await put(site, "mine", draw(2))
    assert (status, problem["code"]) == (428, "version_needed")
    status, _, problem = await put(site, "mine", draw(2), If_Match='"of-another-time"')
    assert (status, problem["code"]) == (412, "changed_meanwhile")
    status, second, _ = await put(site, "mine", draw(2), If_Match=first)
    assert status == 200
    assert second not in (first, None)
    status, _, problem = await put(site, "mine", draw(3), If_Match=first)
    assert (status, problem["code"]) == (412, "changed_meanwhile")
    status, _, problem = await put(site, "mine", draw(3), If_None_Match="*")
    assert (status, problem["code"]) == (412, "changed_meanwhile")
    status, _, problem = await put(site, "new", draw(3), If_Match=first)
    assert (status, problem["code"]) == (412, "changed_meanwhile")
    assert (await put(site, "new", draw(3), If_None_Match="*"))[0] == 200
    assert shade_of((await site.get("/api/graphs/mine"))[1]) == 2


async def test_of_many_who_save_at_once_one_wins(site):
    _, etag, _ = await put(site, "mine", draw(0))
    answers = await asyncio.gather(*(put(site, "mine", draw(shade), If_Match=etag) for shade in range(1, 9)))
    assert sorted(status for status, _, _ in answers) == [200] + [412] * 7
    (winner,) = [saved for status, _, saved in answers if status == 200]
    assert (await site.get("/api/graphs/mine"))[1] == winner


async def test_every_version_is_kept_also_of_a_graph_that_is_deleted(site):
    await put(site, "mine", draw(1))
    for shade in (2, 3):
        await put(site, "mine", draw(shade), If_Match=await etag_of(site, "mine"))
    status, problem = await site.request("DELETE", "/api/graphs/mine")
    assert (status, problem["code"]) == (428, "version_needed")
    status, problem = await site.request("DELETE", "/api/graphs/mine", headers={"If-Match": '"x"'})
    assert (status, problem["code"]) == (412, "changed_meanwhile")
    async with site.client.delete("/api/graphs/mine", headers={"If-Match": await etag_of(site, "mine")}) as response:
        assert (response.status, await response.read()) == (204, b"")
    assert (await site.get("/api/graphs/mine"))[0] == 404
    status, found = await site.get("/api/graphs/mine/versions")
    assert status == 200
    read = [await site.get(f"/api/graphs/mine?version={version}") for version in found["versions"]]
    assert [(status, shade_of(graph)) for status, graph in read] == [(200, 3), (200, 2), (200, 1)]
    status, problem = await site.get("/api/graphs/mine?version=20200101T000000.000000Z-0123456789ab")
    assert (status, problem["code"]) == (404, "not_found")
    for version in ("..%2F..%2Fmine", "%00", "x" * 100):
        assert (await site.get(f"/api/graphs/mine?version={version}"))[0] == 404


async def test_shipped_graphs_are_listed_and_copied_when_they_are_changed(site, home):
    shipped = (await site.get("/api/graphs"))[1]["graphs"]
    (listed,) = [item for item in shipped if item["name"] == "text_to_image"]
    assert (listed["shipped"], listed["title"], listed["problem"]) == (True, "Text to image", None)
    assert listed["description"]
    async with site.client.get("/api/graphs/text_to_image") as response:
        assert response.headers["ETag"] == f'"{listed["etag"]}"'
    assert "schema" not in [item["name"] for item in shipped]
    status, graph = await site.get("/api/graphs/text_to_image")
    assert status == 200
    graph["nodes"]["prompt"]["inputs"]["text"] = "a blue hat"
    etag = await etag_of(site, "text_to_image")
    assert (await put(site, "text_to_image", graph))[0] == 428
    assert (await put(site, "text_to_image", graph, If_Match=etag))[0] == 200
    (own,) = [item for item in (await site.get("/api/graphs"))[1]["graphs"] if item["name"] == "text_to_image"]
    assert (own["shipped"], own["modified"]) == (False, (home / "graphs" / "text_to_image.json").stat().st_mtime)
    (home / "graphs" / "broken.json").write_text("{")
    (broken,) = [item for item in (await site.get("/api/graphs"))[1]["graphs"] if item["name"] == "broken"]
    assert (broken["etag"], broken["problem"]["code"], broken["problem"]["at"]) == ("", "broken_json", "broken:1:2")
    assert "a blue hat" in (home / "graphs" / "text_to_image.json").read_text()
    own = await etag_of(site, "text_to_image")
    assert (await site.request("DELETE", "/api/graphs/text_to_image", headers={"If-Match": own}))[0] == 204
    assert await etag_of(site, "text_to_image") == etag
    status, problem = await site.request("DELETE", "/api/graphs/text_to_image", headers={"If-Match": etag})
    assert (status, problem["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    "name", ["..%2Fx", "%2Fetc%2Fpasswd", "a.b", "%00", "x" * 101, "%F0%9F%A6%8A", "schema%2Ejson"]
)
async def test_what_cannot_be_a_name_is_not_there(site, name):
    for method, rest in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/versions"), ("POST", "/run")):
        body = {"PUT": draw(1), "POST": {}}.get(method)
        status, problem = await site.request(method, f"/api/graphs/{name}{rest}", body)
        assert (status, problem["code"]) == (404, "not_found")


async def test_what_is_no_graph_is_not_saved(site, home):
    status, problem = await site.request("PUT", "/api/graphs/mine", {"version": 1, "nodes": {"a b": {"type": "X"}}})
    assert (status, problem["code"]) == (422, "bad_document")
    status, problem = await site.request("PUT", "/api/graphs/mine", {"version": 99})
    assert (status, problem["code"]) == (422, "unknown_version")
    json, text = {"Content-Type": "application/json"}, {"Content-Type": "application/yaml"}
    assert (await site.request("PUT", "/api/graphs/mine", data=b"{", headers=json))[0] == 400
    assert (await site.request("PUT", "/api/graphs/mine", data=b"{}", headers=text))[0] == 415
    large = io.BytesIO(b'{"name": "' + b"x" * (4 << 20) + b'"}')
    assert (await site.request("PUT", "/api/graphs/mine", data=large, headers=json))[0] == 413
    assert not (home / "graphs" / "mine.json").exists()


async def test_a_graph_of_unknown_nodes_is_saved_but_not_run(site):
    """Somebody may lack a node file today and have it tomorrow."""
    graph = {"version": 1, "nodes": {"a": {"type": "Gone"}}, "interface": {"outputs": {"x": "a.x"}}}
    assert (await put(site, "mine", graph))[0] == 200
    status, problem = await site.post("/api/graphs/mine/run", {})
    assert (status, problem["code"]) == (422, "unknown_type")


async def test_a_run_of_a_saved_graph_takes_what_its_interface_has(site):
    await put(site, "mine", draw(1))
    body = {"inputs": {"shade": 4}, "outputs": ["out"], "priority": 3, "idempotency_key": "k"}
    status, run = await site.post("/api/graphs/mine/run", body)
    assert (status, run["priority"], run["wanted"]) == (202, 3, ["out"])
    assert (await site.post("/api/graphs/mine/run", body))[0] == 200
    status, problem = await site.post("/api/graphs/mine/run", {"inputs": {"shde": 1}})
    assert (status, places(problem)) == (422, [("unknown_input", "/inputs/shde")])
    assert "shade" in problem["fix"]
    status, problem = await site.post("/api/graphs/mine/run", {"shade": 1})
    assert (status, places(problem)) == (400, [("bad_request", "/shade")])
