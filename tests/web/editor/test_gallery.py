"""Pictures of all sessions: shown large, compared, and traced back to their graphs."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.editor.desk import drawing


@pytest.fixture
def lightbox(desk):
    """Two pictures in the lightbox, the newer one first; the page was loaded after they were made."""
    name = f"shown_{len(desk.site.graphs())}"
    for shade in (100, 60_000):
        run = desk.site.server.submit(drawing(shade, name.title()), name=name)
        assert desk.site.wait_run(run["id"])["state"] == "done"
    desk.open(name, drawing(5, name.title()))
    desk.banner.get_by_role("button", name="Gallery").click()
    desk.panel.get_by_role("button", name="This graph").click()
    thumbs = desk.panel.get_by_role("button", name=re.compile(f", made by {name}"))
    expect(thumbs).to_have_count(2)
    thumbs.first.click()
    return desk, desk.page.get_by_role("dialog", name="Pictures"), name


def test_the_lightbox_walks_through_the_pictures_and_closes(lightbox):
    desk, box, _name = lightbox
    expect(box.get_by_text("1 of 2")).to_be_visible()
    expect(box.get_by_role("button", name="Picture before")).to_be_disabled()
    desk.page.keyboard.press("ArrowRight")
    expect(box.get_by_text("2 of 2")).to_be_visible()
    box.get_by_role("button", name="Picture before").click()
    expect(box.get_by_text("1 of 2")).to_be_visible()
    desk.page.keyboard.press("Escape")
    expect(box).to_have_count(0)


def test_two_pictures_are_compared_with_a_line_that_moves(lightbox):
    desk, box, _name = lightbox
    box.get_by_role("button", name="Compare two").click()
    line = box.get_by_role("slider", name="Line between the pictures")
    expect(line).to_have_attribute("aria-valuetext", "50 % of picture A")
    desk.page.keyboard.press("ArrowLeft")
    expect(line).to_have_attribute("aria-valuetext", "49 % of picture A")
    expect(box.get_by_role("img").nth(1)).to_be_visible()


def test_the_graph_that_made_a_picture_is_opened_as_one_of_its_own(lightbox):
    desk, box, name = lightbox
    box.get_by_role("button", name="Open the graph that made this").click()
    expect(box).to_have_count(0)
    expect(desk.page).not_to_have_url(re.compile(f"/graph/{name}$"))
    expect(desk.node("draw").get_by_role("spinbutton", name="Shade")).to_have_value("60000")
    assert desk.site.document(name)["nodes"]["draw"]["inputs"]["shade"] == 5


def test_a_picture_on_its_node_opens_large(desk):
    desk.open("large", drawing(7, "Large"))
    desk.run_to_end()
    desk.node("draw").get_by_role("button", name="Picture 1 of draw, show it large").click()
    box = desk.page.get_by_role("dialog", name="Pictures")
    box.get_by_role("button", name="Made with").click()
    expect(box).to_contain_text("7")
