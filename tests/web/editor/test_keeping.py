"""Work is never lost: conflicts are told, and a crash leaves a draft."""

import re
import signal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.web.editor.desk import GONE, Desk, Site, drawing


@pytest.fixture
def conflict(desk, request):
    """Two tabs that changed the same graph: the second one's save comes too late."""
    name = f"both_{len(desk.site.graphs())}"
    desk.watch.expect("412")
    desk.open(name, drawing(1, name))
    other = desk.second_tab()
    held = []
    other.page.route(
        "**/api/graphs/*", lambda route: held.append(route) if route.request.method == "PUT" else route.fallback()
    )
    other.set_number("draw", "Shade", 222)
    while not held:
        other.page.wait_for_timeout(50)
    desk.set_number("draw", "Shade", 111)
    desk.saved()
    for route in held:
        route.continue_()
    other.page.unroute_all()
    expect(other.page.get_by_role("dialog", name=re.compile("was changed elsewhere"))).to_be_visible()
    return desk, other, name


def shade(document):
    return document["nodes"]["draw"]["inputs"]["shade"]


def choose(desk, choice):
    dialog = desk.page.get_by_role("dialog")
    dialog.get_by_role("button", name=re.compile(f"^{choice}")).click()
    expect(dialog).to_have_count(0)


def start_again(site):
    """The server on the same data folder and at the same address."""
    site.server = Site.start(site.server.home, urlsplit(site.server.url).port, "--no-token").server


def test_a_conflict_ends_with_mine(conflict):
    desk, other, name = conflict
    choose(other, "Keep mine")
    assert shade(other.saved()) == 222
    versions = desk.site.request("GET", f"/api/graphs/{name}/versions")[1]["versions"]
    assert len(versions) >= 2
    expect(desk.node("draw").get_by_role("spinbutton", name="Shade")).to_have_value("222")


def test_a_conflict_ends_with_theirs_and_undo_brings_mine_back(conflict):
    _desk, other, _name = conflict
    choose(other, "Take the other one")
    field = other.node("draw").get_by_role("spinbutton", name="Shade")
    expect(field).to_have_value("111")
    assert shade(other.saved()) == 111
    other.canvas.focus()
    other.page.keyboard.press("Control+z")
    expect(field).to_have_value("222")
    assert shade(other.saved()) == 222


def test_a_conflict_ends_with_both(conflict):
    desk, other, name = conflict
    choose(other, "Keep both")
    expect(other.page).not_to_have_url(re.compile(f"/graph/{name}$"))
    assert shade(other.saved()) == 222
    assert shade(desk.site.document(name)) == 111
    expect(desk.node("draw").get_by_role("spinbutton", name="Shade")).to_have_value("111")


def test_what_a_crash_of_the_server_kept_from_being_saved_is_restored(page, fresh_site, watch):
    desk = Desk(page, fresh_site, watch)
    desk.open("crashed", drawing(1, "Crashed"))
    watch.expect(GONE)
    fresh_site.server.kill(signal.SIGKILL)
    desk.set_number("draw", "Shade", 999)
    page.close()
    start_again(fresh_site)
    assert shade(fresh_site.document("crashed")) == 1
    again = Desk(page.context.new_page(), fresh_site, watch)
    again.open("crashed")
    expect(again.toast(re.compile("Unsaved changes of .* were restored"))).to_be_visible()
    expect(again.node("draw").get_by_role("spinbutton", name="Shade")).to_have_value("999")
    assert shade(again.saved()) == 999


def test_a_server_that_comes_back_is_sent_what_was_edited_meanwhile(page, fresh_site, watch):
    desk = Desk(page, fresh_site, watch)
    desk.open("away", drawing(1, "Away"))
    watch.expect(GONE)
    fresh_site.server.kill(signal.SIGKILL)
    desk.set_number("draw", "Shade", 888)
    expect(page.get_by_role("banner").get_by_role("status")).to_have_text("Not saved: trying again")
    start_again(fresh_site)
    expect(page.get_by_role("contentinfo").get_by_role("status")).to_have_text("Connected")
    assert shade(desk.saved()) == 888
