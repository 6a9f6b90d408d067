"""A graph as a form, on a phone."""

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def browser_context_args(browser_context_args):
    """A phone held upright."""
    return {**browser_context_args, "viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def test_the_form_draws_a_picture_on_a_phone(desk):
    desk.visit("/form/text_to_image")
    page = desk.page
    expect(page.get_by_role("heading", name="Text to image")).to_be_visible()
    form = page.get_by_role("form", name="Inputs")
    form.get_by_label("Prompt").fill("a green triangle")
    steps = form.get_by_role("spinbutton", name="Steps")
    steps.fill("3")
    steps.press("Enter")
    expect(steps).to_have_value("3")
    before = {run["id"] for run in desk.site.runs()}
    form.get_by_role("button", name="Run").click()
    run = desk.new_run(before)
    found = desk.site.wait_run(run)
    assert found["state"] == "done", found["error"]
    results = page.get_by_role("region", name="Results")
    picture = results.get_by_role("button", name=re.compile("^Show .* large$"))
    expect(picture).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert desk.site.document("text_to_image")["nodes"]["sample"]["inputs"]["steps"] == 20
    picture.click()
    expect(page.get_by_role("dialog", name="Pictures")).to_be_visible()


def test_a_value_that_does_not_fit_is_refused_where_it_stands(desk):
    desk.visit("/form/text_to_image")
    steps = desk.page.get_by_role("form", name="Inputs").get_by_role("spinbutton", name="Steps")
    steps.fill("0")
    steps.press("Enter")
    expect(desk.page.get_by_text("This is at least 1.")).to_be_visible()


def test_the_form_leads_to_the_editor(desk):
    desk.visit("/form/text_to_image")
    desk.page.get_by_role("link", name="Open in the editor").click()
    expect(desk.page).to_have_url(re.compile("/graph/text_to_image$"))
    expect(desk.canvas).to_be_visible()
