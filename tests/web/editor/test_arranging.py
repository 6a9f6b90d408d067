"""Order on the canvas: frames, notes, reroutes, muted and bypassed nodes, tidying up."""

import re

from playwright.sync_api import expect

from tests.web.editor.desk import middle
from tests.web.editor.test_running import SUM


def open_sum(desk, name):
    return desk.open(name, {**SUM, "name": name.title()})


def test_a_frame_takes_its_nodes_along(desk):
    open_sum(desk, "framed")
    desk.node("count").focus()
    desk.page.keyboard.press("Control+g")
    title = desk.page.get_by_role("textbox", name="Title of the frame")
    title.fill("Numbers")
    title.press("Enter")
    frame = desk.page.get_by_role("group", name="Frame Numbers")
    before = desk.saved()
    box = frame.bounding_box()
    start = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    desk.drag(start, (start[0] + 40, start[1] - 60))
    after = desk.saved()
    zoom = box["width"] / next(iter(before["frames"].values()))["spot"][2]
    moved = [new - old for new, old in zip(after["layout"]["count"], before["layout"]["count"], strict=False)]
    assert abs(moved[0] - 40 / zoom) < 3
    assert abs(moved[1] + 60 / zoom) < 3
    assert after["layout"]["add"] == before["layout"]["add"]
    assert [one["title"] for one in after["frames"].values()] == ["Numbers"]


def test_a_note_is_written_on_the_canvas(desk):
    open_sum(desk, "noted")
    desk.command("Add a note")
    note = desk.page.get_by_role("group", name=re.compile("^Note, note"))
    note.dblclick()
    text = desk.page.get_by_role("textbox", name="Text of the note")
    text.fill("Mind the seed.")
    text.press("Escape")
    expect(note).to_contain_text("Mind the seed.")
    assert desk.saved()["nodes"]["note"]["inputs"]["text"] == "Mind the seed."


def test_a_reroute_bends_a_link(desk):
    open_sum(desk, "bent")
    start, end = middle(desk.port("noise.number", "out")), middle(desk.port("add.b", "in"))
    desk.page.mouse.click((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, button="right")
    desk.menu().get_by_role("menuitem", name="Add a reroute").click()
    expect(desk.page.get_by_role("group", name="Reroute, reroute")).to_be_visible()
    nodes = desk.saved()["nodes"]
    assert nodes["add"]["inputs"]["b"] == {"link": "reroute.value"}
    assert nodes["reroute"]["inputs"] == {"value": {"link": "noise.number"}}
    assert desk.run_to_end()["state"] == "done"


def test_nodes_are_muted_and_bypassed_and_active_again(desk):
    open_sum(desk, "quiet")
    desk.node("noise").focus()
    desk.page.keyboard.press("b")
    desk.expect_state("noise", "bypassed")
    assert desk.saved()["nodes"]["noise"]["state"] == "bypass"
    desk.page.keyboard.press("m")
    desk.expect_state("noise", "muted")
    assert desk.saved()["nodes"]["noise"]["state"] == "mute"
    desk.page.keyboard.press("m")
    assert "state" not in desk.saved()["nodes"]["noise"]


def test_tidying_up_parts_what_lies_on_each_other_and_is_one_step(desk):
    document = {**SUM, "name": "Heap", "layout": {"count": [0, 0], "noise": [10, 10], "add": [20, 20]}}
    desk.open("heap", document)
    before = desk.saved()
    desk.canvas.focus()
    desk.page.keyboard.press("Shift+t")
    expect(desk.banner.get_by_role("button", name="Undo: Tidy up")).to_be_visible()
    layout = desk.saved()["layout"]
    assert layout["add"][0] >= max(layout["count"][0], layout["noise"][0]) + 200
    assert abs(layout["count"][1] - layout["noise"][1]) > 30
    desk.page.keyboard.press("Control+z")
    assert desk.saved() == before


def test_nodes_in_a_box_are_selected_and_aligned(desk):
    open_sum(desk, "aligned")
    left, top = desk.corner()
    desk.drag((left + 5, top + 5), (left + 1400, top + 800))
    expect(desk.page.get_by_text("3 selected")).to_be_visible()
    desk.command("Align left")
    assert {spot[0] for spot in desk.saved()["layout"].values()} == {0}
