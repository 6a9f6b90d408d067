"""Laws of the layout: nothing overlaps, links point right, the same graph is laid out the same."""

import subprocess
import sys
from itertools import combinations
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from engine import Catalog, Graph
from web.server.tidy import MOST_POINTS, SIZE, tidy

ROOT = Path(__file__).parents[3]


def document(links, count, layout=None, types=None):
    """A graph of nodes n0, n1 ... from (source, target, output, input)."""
    nodes = {f"n{number}": {"type": (types or {}).get(number, "X"), "inputs": {}} for number in range(count)}
    for source, target, output, port in links:
        nodes[f"n{target}"]["inputs"].setdefault(port, []).append({"link": f"n{source}.{output}"})
    return Graph.from_data({"version": 1, "nodes": nodes, "layout": layout or {}}).document


@st.composite
def drawings(draw, *, acyclic=True):
    """A document, its links as pairs, and sizes of some nodes."""
    count = draw(st.integers(1, 14))
    ends = st.tuples(
        st.integers(0, count - 1), st.integers(0, count - 1), st.sampled_from("ab"), st.sampled_from("xyz")
    )
    links = draw(st.lists(ends, max_size=25))
    if acyclic:
        order = draw(st.permutations(range(count)))
        links = [(order[a], order[b], *rest) for a, b, *rest in links if a < b]
    size = st.tuples(st.floats(1, 900), st.floats(1, 900))
    sizes = draw(st.dictionaries(st.integers(0, count - 1).map("n{}".format), size))
    return document(links, count), [(f"n{a}", f"n{b}") for a, b, *_ in links], sizes


def boxes(found, sizes):
    return {name: (x, y, *sizes.get(name, SIZE)) for name, (x, y) in found.items()}


def overlap(one, other):
    left, top, width, height = one
    x, y, across, down = other
    return left < x + across and x < left + width and top < y + down and y < top + height


@given(drawings())
def test_no_two_nodes_overlap_and_every_link_points_right(drawn):
    wanted, links, sizes = drawn
    found = tidy(wanted, sizes)
    assert list(found) == list(wanted.nodes)
    placed = boxes(found, sizes)
    assert not [pair for pair in combinations(placed, 2) if overlap(placed[pair[0]], placed[pair[1]])]
    for source, target in links:
        assert placed[source][0] + placed[source][2] < placed[target][0]
    assert (min(x for x, _ in found.values()), min(y for _, y in found.values())) == (0, 0)
    assert all(number == int(number) for spot in found.values() for number in spot)


@given(drawings(acyclic=False))
def test_a_circle_is_laid_out_too(drawn):
    wanted, _, sizes = drawn
    placed = boxes(tidy(wanted, sizes), sizes)
    assert not [pair for pair in combinations(placed, 2) if overlap(placed[pair[0]], placed[pair[1]])]


@given(drawings(), st.data())
def test_what_is_not_wanted_stays_and_the_rest_keeps_its_corner(drawn, data):
    bare, _, sizes = drawn
    layout = {name: [float(17 * place), 500.0 - 40 * place] for place, name in enumerate(bare.nodes)}
    wanted = bare.model_copy(update={"layout": layout})
    some = data.draw(st.sets(st.sampled_from(list(bare.nodes)), min_size=1))
    found = tidy(wanted, sizes, some)
    assert found.keys() == some
    for axis in (0, 1):
        assert min(spot[axis] for spot in found.values()) == min(layout[name][axis] for name in some)
    again = tidy(
        wanted.model_copy(update={"layout": layout | {name: [*spot] for name, spot in found.items()}}), sizes, some
    )
    assert again == found


def test_the_same_graph_is_laid_out_the_same_in_every_process():
    code = (
        "from tests.web.server.test_tidy import document, tidy; "
        "print(tidy(document([(a * 7 % 30, 30 + a * 11 % 30, 'o', 'i') for a in range(60)], 60), {}))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert "n59" in runs[0]


def test_sources_stand_next_to_what_uses_them():
    found = tidy(document([(0, 1, "o", "i"), (1, 2, "o", "i"), (3, 2, "o", "j")], 4), {})
    assert found["n3"][0] == found["n1"][0] > found["n0"][0]


def test_nodes_stand_in_the_order_of_the_ports_that_they_feed():
    catalog = Catalog.load()

    def ports(type_id):
        return tuple(catalog.types[type_id].inputs), catalog.types[type_id].output_names

    feeds = ["latent", "negative", "positive"]
    types = {0: "Note", 1: "Note", 2: "Note", 3: "Sample"}
    wanted = document([(number, 3, "x", port) for number, port in enumerate(feeds)], 4, types=types)
    found = tidy(wanted, {}, None, ports)
    upright = sorted(("n0", "n1", "n2"), key=lambda name: found[name][1])
    order = list(catalog.types["Sample"].inputs)
    assert [feeds[int(name[1])] for name in upright] == sorted(feeds, key=order.index)


def test_a_chain_is_drawn_in_one_line():
    found = tidy(document([(number, number + 1, "o", "i") for number in range(5)], 6), {})
    assert len({y for _, y in found.values()}) == 1


def test_links_that_need_not_cross_do_not():
    wanted = document([(0, 4, "o", "i"), (1, 3, "o", "i"), (2, 5, "o", "i")], 6)
    found = tidy(wanted, {})
    assert [found[name][1] for name in ("n0", "n1", "n2")] == [found[name][1] for name in ("n4", "n3", "n5")]


def test_lone_nodes_lie_side_by_side_below_the_rest():
    found = tidy(document([(0, 1, "o", "i")], 12), {})
    lone = [found[f"n{number}"] for number in range(2, 12)]
    assert min(y for _, y in lone) > max(found[name][1] + SIZE[1] for name in ("n0", "n1"))
    assert len({y for _, y in lone}) == 2


def test_the_size_that_the_document_gives_counts():
    layout = {"n0": [0, 0, 1000], "n1": [5, 5, 10, 700]}
    found = tidy(document([(0, 2, "o", "i"), (1, 2, "o", "i")], 3, layout), {})
    assert found["n2"][0] > 1000
    assert abs(found["n1"][1] - found["n0"][1]) > SIZE[1]


def test_unknown_nodes_types_and_links_to_themselves_do_no_harm():
    wanted = document([(0, 0, "o", "i")], 1)
    nodes = {"a": {"type": "X", "inputs": {"i": {"link": "gone.o"}}}}
    assert tidy(Graph.from_data({"version": 1, "nodes": nodes}).document, {}) == {"a": (0, 0)}
    assert tidy(wanted, {}) == {"n0": (0, 0)}
    assert tidy(document([], 0), {}) == {}


def test_a_graph_of_very_many_long_links_is_laid_out():
    links = [(source, target, "o", f"p{source}") for target in range(260) for source in range(target)]
    assert sum(target - source for source, target, *_ in links) > MOST_POINTS
    found = tidy(document(links, 260), {})
    assert len({x for x, _ in found.values()}) == 260
