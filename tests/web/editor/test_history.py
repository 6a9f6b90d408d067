"""Nothing that was done cannot be undone, and done again."""

import re

from playwright.sync_api import expect


def undo_all(desk, button="Undo"):
    steps = 0
    keys = "Control+z" if button == "Undo" else "Control+Shift+z"
    while desk.banner.get_by_role("button", name=re.compile(rf"^{button}")).is_enabled():
        desk.page.keyboard.press(keys)
        steps += 1
        assert steps < 100
    return steps


def test_everything_is_undone_back_to_the_empty_canvas_and_done_again(desk):
    desk.create()
    desk.page.get_by_role("button", name="Close the panel").click()
    empty = desk.saved()
    desk.add("Count", (100, 100))
    desk.add("Next", (420, 100))
    desk.link("count.number", "next.number")
    desk.set_number("count", "Value", 42)
    desk.drag(title(desk, "next"), (700, 400))
    desk.node("next").focus()
    desk.page.keyboard.press("m")
    desk.page.keyboard.press("Control+a")
    desk.page.keyboard.press("Control+d")
    desk.page.keyboard.press("Delete")
    desk.node("count").focus()
    desk.page.keyboard.press("F2")
    desk.page.keyboard.type("how_many")
    desk.page.keyboard.press("Enter")
    expect(desk.node("how_many")).to_be_focused()
    desk.command("Add a note")
    note = desk.page.get_by_role("group", name=re.compile("^Note, note"))
    expect(note).to_be_focused()
    desk.page.keyboard.press("Enter")
    desk.page.keyboard.type("remark")
    desk.page.keyboard.press("Escape")
    expect(note).to_contain_text("remark")
    full = desk.saved()
    assert set(full["nodes"]) == {"how_many", "next", "note"}
    assert full["nodes"]["next"]["state"] == "mute"
    desk.canvas.focus()
    steps = undo_all(desk)
    expect(desk.page.get_by_text("0 nodes")).to_be_visible()
    assert desk.saved() == empty
    assert undo_all(desk, "Redo") == steps
    expect(desk.page.get_by_text("3 nodes")).to_be_visible()
    assert desk.saved() == full


def title(desk, node_id):
    """A place on a node's header where it can be held."""
    box = desk.node(node_id).bounding_box()
    return box["x"] + 60, box["y"] + 14
