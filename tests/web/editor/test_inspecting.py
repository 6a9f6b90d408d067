"""What flows in a link is looked at."""

import re

from playwright.sync_api import expect

from tests.web.editor.desk import graph


def test_a_latent_link_is_inspected_before_and_after_it_is_computed(desk):
    desk.open("looked_at", graph())
    desk.port("sample.latent", "out").focus()
    desk.page.keyboard.press("Shift+I")
    expect(desk.panel.get_by_role("heading", name="Inspect")).to_be_visible()
    expect(desk.panel.get_by_text("This has not been computed")).to_be_visible()
    before = {run["id"] for run in desk.site.runs()}
    desk.panel.get_by_role("button", name="Run to here").click()
    assert desk.site.wait_run(desk.new_run(before))["state"] == "done"
    expect(desk.panel.get_by_text(re.compile("norm", re.IGNORECASE)).first).to_be_visible()
    expect(desk.panel.get_by_role("img", name=re.compile("^Histogram from"))).to_be_visible()
    assert desk.panel.get_by_role("figure").count() >= 4
