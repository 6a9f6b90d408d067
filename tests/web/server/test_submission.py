"""From a client's wish to an order: found, filled in, checked as a whole."""

import json
from functools import partial

import pytest

from engine import GraphError, ServerError
from tests.web.server.kit import draw, one
from web.server.body import parse_model
from web.server.submission import LONGEST_TEXT, Submission, ordered, planned, pointer_of


@pytest.fixture
def order(site):
    async def order(**body):
        return await ordered(site.service, parse_model(Submission, body))

    return order


@pytest.fixture
def refused(site):
    """The problems of a submission: code, place and pointer."""

    async def refused(**body):
        draft = parse_model(Submission, body)
        with pytest.raises(GraphError) as caught:
            await planned(site.service, draft)
        pointer = pointer_of(site.service, draft)
        return [(problem.code, problem.at, pointer(problem.at)) for problem in caught.value.problems]

    return refused


async def test_an_order_has_the_values_in_its_graph(order):
    found = await order(graph=draw(1), inputs={"shade": 7}, outputs=["out"], priority=2, idempotency_key="k")
    assert '"shade": 7' in found.document
    assert (found.name, found.inputs, found.wanted, found.priority, found.key) == ("fox", {"shade": 7}, ["out"], 2, "k")
    assert found.document == (await order(graph=draw(7))).document


def noise(how, seed=5, **more):
    return {**one("Noise", seed=seed), "seeds": {"noise.seed": how}, **more}


async def test_seeds_are_drawn_into_the_graph_of_the_order(order, monkeypatch):
    monkeypatch.setattr("secrets.randbelow", lambda limit: limit - 1)
    for how, value in (("random", 2**32 - 1), ("increment", 6)):
        found = await order(graph=noise(how))
        document = json.loads(found.document)
        assert (found.drawn, document["nodes"]["noise"]["inputs"]) == ({"noise.seed": value}, {"seed": value})
        assert document["seeds"] == {"noise.seed": how}
        assert json.loads(found.asked)["nodes"]["noise"]["inputs"] == {"seed": 5}


async def test_a_value_that_is_given_is_not_drawn(order):
    found = await order(graph=noise("random"), inputs={"seed": 9})
    assert (found.drawn, found.inputs, found.asked) == ({}, {"seed": 9}, None)
    assert json.loads(found.document)["nodes"]["noise"]["inputs"] == {"seed": 9}


async def test_counting_past_the_greatest_seed_is_refused(site):
    for body in ({}, {"inputs": {}}):
        with pytest.raises(GraphError) as caught:
            await ordered(site.service, parse_model(Submission, {"graph": noise("increment", 2**63 - 1), **body}))
        (problem,) = caught.value.problems
        assert (problem.code, problem.at) == ("bad_value", "noise.seed")
        assert "does not take 9223372036854775808" in problem.what


async def test_a_seed_that_cannot_be_drawn_is_a_problem_of_the_graph(refused):
    graph = {**draw(1), "seeds": {"draw.seconds": "random", "draw.shad": "random", "gone.x": "increment"}}
    assert await refused(graph=graph) == [
        ("unknown_port", "seeds.draw.shad", "/graph/seeds/draw.shad"),
        ("unknown_node", "seeds.gone.x", "/graph/seeds/gone.x"),
    ]
    assert await refused(graph={**draw(1), "seeds": {"draw.shade": "random"}}) == [
        ("bad_value", "seeds.draw.shade", "/graph/seeds/draw.shade")
    ]


async def test_the_name_is_the_clients_or_the_graphs_or_plain(order):
    assert (await order(graph=draw(1), name="mine")).name == "mine"
    assert (await order(graph=draw(1))).name == "fox"
    assert (await order(graph=one("Count"))).name == "graph"


async def test_a_saved_graph_keeps_the_folder_that_its_paths_start_from(site, order, home):
    site.service.graphs.save("mine", site.service.graphs.read("text_to_image").graph)
    found = await order(name="mine")
    assert (found.name, found.base) == ("mine", str(home / "graphs"))
    assert "pocket" in found.affinity
    with pytest.raises(ServerError) as caught:
        await order(name="gone")
    assert caught.value.code == "not_found"


async def test_every_problem_is_told_at_once(refused):
    graph = {
        "version": 1,
        "nodes": {"a": {"type": "Count", "inputs": {"value": -1}}, "f": {"type": "Fail"}},
        "interface": {"inputs": {"message": "f.message", "lost": "gone.x"}, "outputs": {"out": "a.number"}},
    }
    found = await refused(graph=graph, inputs={"message": "x" * (LONGEST_TEXT + 1), "mesage": 1, "lost": 1})
    assert ("unknown_input", "mesage", "/inputs/mesage") in found
    assert ("too_large", "f.message", "/inputs/message") in found
    assert ("bad_value", "a.value", "/graph/nodes/a/inputs/value") in found
    assert [code for code, _, _ in found].count("unknown_node") == 1
    assert len(found) == 4


async def test_what_is_wrong_in_a_saved_graph_has_no_place_in_the_body(site, refused):
    site.service.graphs.save("mine", b'{"version": 1, "nodes": {"a": {"type": "Count", "inputs": {"value": -1}}}}')
    assert await refused(name="mine") == [("bad_value", "a.value", None)]
    assert await refused(name="mine", inputs={"x": 1}) == [
        ("unknown_input", "x", "/inputs/x"),
        ("bad_value", "a.value", None),
    ]


async def test_a_value_of_the_interface_may_be_a_link_no_more_than_in_the_graph(refused):
    (found,) = await refused(graph=draw(1), inputs={"shade": {"link": "gone.number"}})
    assert found == ("unknown_node", "draw.shade", "/inputs/shade")


async def test_a_text_of_the_greatest_length_is_taken(order):
    make = partial(one, "Fail")
    assert len((await order(graph=make(message=""), inputs={"message": "x" * LONGEST_TEXT})).document) > LONGEST_TEXT


async def test_a_graph_of_yesterday_is_taken_and_one_of_tomorrow_refused(refused):
    assert [code for code, _, _ in await refused(graph={"version": 2})] == ["unknown_version"]
    assert [code for code, _, _ in await refused(graph={})] != []
