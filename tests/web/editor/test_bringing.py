"""What comes from outside: pictures with their graphs, graphs as files, nodes as text, templates."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.web.editor.desk import drawing
from tests.web.editor.test_running import SUM


def the_picture(desk, run):
    """The file that a run has made."""
    folder = next(
        path for path in (desk.site.server.home / "outputs").iterdir() if path.name.startswith(f"{run['number']:06}")
    )
    return next(folder.glob("*.png")).read_bytes()


def test_a_picture_that_was_made_here_gives_its_graph_back(desk):
    desk.open("drawn", drawing(321, "Drawn"))
    data = the_picture(desk, desk.run_to_end())
    desk.set_number("draw", "Shade", 1)
    desk.drop_file("Drawn again.png", "image/png", data)
    expect(desk.page).not_to_have_url(re.compile("/graph/drawn$"))
    expect(desk.node("draw").get_by_role("spinbutton", name="Shade")).to_have_value("321")
    assert desk.saved()["nodes"] == drawing(321)["nodes"]
    assert desk.site.document("drawn")["nodes"]["draw"]["inputs"]["shade"] == 1


def test_a_graph_is_opened_from_a_file(desk):
    desk.open("before", drawing(1, "Before"))
    desk.drop_file("sum.json", "application/json", json.dumps({**SUM, "name": "From a file"}).encode())
    expect(desk.node("add")).to_be_visible()
    assert desk.saved()["nodes"] == SUM["nodes"]


def test_a_file_that_is_nothing_of_ours_is_refused(desk):
    desk.open("unharmed", drawing(1, "Unharmed"))
    desk.drop_file("song.mp3", "audio/mpeg", b"la la la")
    expect(desk.toast("song.mp3 is neither a picture nor a graph.")).to_be_visible()
    desk.drop_file("broken.json", "application/json", b"{")
    expect(desk.toast("The text is not JSON.")).to_be_visible()
    assert desk.saved()["nodes"] == drawing(1)["nodes"]


def test_nodes_are_copied_and_pasted_as_text_with_their_links_to_outside(desk):
    desk.open("copied", {**SUM, "name": "Copied"})
    desk.node("add").focus()
    desk.page.keyboard.press("Control+c")
    text = json.loads(desk.page.evaluate("navigator.clipboard.readText()"))
    assert set(text["nodes"]) == {"add"}
    desk.page.keyboard.press("Control+v")
    expect(desk.node("add_2")).to_be_visible()
    found = desk.saved()
    assert found["nodes"]["add_2"]["inputs"] == SUM["nodes"]["add"]["inputs"]
    desk.open("elsewhere", drawing(1, "Elsewhere"))
    desk.canvas.focus()
    desk.page.keyboard.press("Control+v")
    expect(desk.node("add")).to_be_visible()
    assert desk.saved()["nodes"]["add"].get("inputs", {}) == {}


@pytest.mark.parametrize("name", ["text_to_image", "compare_schedulers"])
def test_templates_are_there_from_the_first_start_and_an_edit_makes_an_own_copy(desk, name):
    desk.visit()
    expect(desk.panel.get_by_role("heading", name="Templates")).to_be_visible()
    shipped = next(entry for entry in desk.site.graphs() if entry["name"] == name)
    assert shipped["shipped"]
    desk.panel.get_by_role("button", name=shipped["title"]).click()
    expect(desk.page).to_have_url(re.compile(f"/graph/{name}$"))
    before = desk.site.document(name)
    node = next(iter(before["nodes"]))
    left, top, *_ = desk.node(node).bounding_box().values()
    desk.drag((left + 50, top + 10), (left + 60, top - 30))
    assert desk.saved()["nodes"] == before["nodes"]
    assert not next(entry for entry in desk.site.graphs() if entry["name"] == name)["shipped"]
    expect(desk.panel.get_by_role("button", name=f"Duplicate {shipped['title']}")).to_be_visible()
