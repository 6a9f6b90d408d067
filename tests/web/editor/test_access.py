"""axe finds nothing serious in what the editor shows."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.editor.desk import drawing, graph

PANELS = ("Graphs", "Node", "Inspect", "Queue", "Gallery", "Problems", "Keys", "Settings")


@pytest.fixture(params=["dark", "light"])
def theme(request, page, workshop):
    page.emulate_media(color_scheme=request.param)
    page.add_init_script(path=workshop.folder / "node_modules" / "axe-core" / "axe.min.js")
    return request.param


def faults(desk):
    """What axe calls serious or critical, each with the first places where it is so."""
    found = desk.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{fault['id']} ({fault['impact']}): {node['html'][:160]} {why(node)}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"][:3]
    ]


def why(node):
    return node["any"][0]["message"][:160] if node["any"] else ""


def check(desk, state):
    return [f"{state}: {fault}" for fault in faults(desk)]


def test_the_canvas_its_palettes_and_menus_and_every_panel(desk, theme):
    desk.open("seen", {**graph(), "name": "Seen"})
    found = check(desk, "canvas")
    desk.node("sample").focus()
    found += check(desk, "node")
    desk.page.keyboard.press("Tab")
    expect(desk.palette).to_be_visible()
    found += check(desk, "palette")
    desk.page.keyboard.press("Escape")
    desk.node("sample").get_by_role("button", name="Menu of sample").click()
    expect(desk.menu()).to_be_visible()
    found += check(desk, "menu")
    desk.page.keyboard.press("Escape")
    desk.page.keyboard.press("Control+k")
    expect(desk.page.get_by_role("dialog", name="Commands")).to_be_visible()
    found += check(desk, "commands")
    desk.page.keyboard.press("Escape")
    for panel in PANELS:
        desk.banner.get_by_role("button", name=re.compile(f"^{panel}")).click()
        expect(desk.panel.get_by_role("heading", name=panel, exact=True)).to_be_visible()
        found += check(desk, panel)
    assert found == []


def test_what_a_run_has_made_and_the_lightbox(desk, theme):
    name = f"made_{theme}"
    for shade in (1, 50_000):
        run = desk.site.server.submit(drawing(shade, name), name=name)
        desk.site.wait_run(run["id"])
    desk.open(name, drawing(3, name))
    desk.run_to_end()
    found = check(desk, "done")
    desk.banner.get_by_role("button", name="Gallery").click()
    thumb = desk.panel.get_by_role("button", name=re.compile(", made by ")).first
    expect(thumb).to_be_visible()
    found += check(desk, "gallery")
    desk.banner.get_by_role("button", name="Queue").click()
    expect(desk.panel.get_by_role("heading", name="Ended")).to_be_visible()
    found += check(desk, "queue")
    desk.node("draw").get_by_role("button", name=re.compile("^Picture 1")).click()
    box = desk.page.get_by_role("dialog", name="Pictures")
    expect(box).to_be_visible()
    found += check(desk, "lightbox")
    box.get_by_role("button", name="Made with").click()
    found += check(desk, "made with")
    desk.page.keyboard.press("Escape")
    desk.banner.get_by_role("button", name="Gallery").click()
    thumb.click()
    box.get_by_role("button", name="Compare two").click()
    found += check(desk, "compare")
    assert found == []


def test_the_form(desk, theme):
    desk.visit("/form/text_to_image")
    expect(desk.page.get_by_role("form", name="Inputs")).to_be_visible()
    assert check(desk, "form") == []


def test_the_question_after_a_conflict(desk, theme):
    name = f"asked_{theme}"
    desk.watch.expect("412")
    desk.open(name, drawing(1, name))
    desk.page.route(
        "**/api/graphs/*", lambda route: route.abort() if route.request.method == "PUT" else route.fallback()
    )
    desk.watch.expect("ERR_FAILED")
    desk.set_number("draw", "Shade", 2)
    expect(desk.banner.get_by_role("status")).to_have_text("Not saved: trying again")
    desk.site.save(name, drawing(3, name))
    desk.page.unroute_all()
    expect(desk.page.get_by_role("dialog", name=re.compile("was changed elsewhere"))).to_be_visible()
    assert check(desk, "conflict") == []
