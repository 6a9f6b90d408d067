"""The queue: what waits is put in another order, held back, and taken out."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.editor.desk import drawing


@pytest.fixture
def queue(desk):
    """A paused queue with three runs, seen in its panel."""
    desk.open("queued", drawing(1, "Queued"))
    desk.banner.get_by_role("button", name="Queue").click()
    desk.panel.get_by_role("button", name="Pause the queue").click()
    expect(desk.banner.get_by_text("Queue paused")).to_be_visible()
    runs = []
    for shade in (11, 22, 33):
        desk.set_number("draw", "Shade", shade)
        runs.append(desk.run())
    expect(desk.panel.get_by_role("heading", name="Waiting (3)")).to_be_visible()
    yield desk, runs
    for run in runs:
        desk.site.request("DELETE", f"/api/runs/{run}")
    desk.site.request("POST", "/api/queue/resume", {})


def order(desk):
    return [run["id"] for run in sorted(desk.site.runs(), key=lambda run: run["started"] or 0) if run["started"]]


def test_what_waits_is_reordered_cancelled_and_goes_on(queue):
    desk, (first, second, third) = queue
    grips = desk.panel.get_by_role("button", name=re.compile("^Run .* move with the arrow keys"))
    grips.nth(2).focus()
    desk.page.keyboard.press("ArrowUp")
    expect(grips.nth(1)).to_have_accessible_name(
        re.compile(f"^Run {desk.site.server.run(third)['number']}, place 2 of 3")
    )
    number = desk.site.server.run(second)["number"]
    desk.panel.get_by_role("button", name=f"Cancel run {number}").click()
    expect(desk.panel.get_by_role("heading", name="Waiting (2)")).to_be_visible()
    desk.panel.get_by_role("button", name="Resume the queue").first.click()
    for run in (first, third):
        assert desk.site.wait_run(run)["state"] == "done"
    assert desk.site.server.run(second)["state"] == "cancelled"
    expect(desk.panel.get_by_role("heading", name="Ended")).to_be_visible()
    expect(desk.panel.get_by_text("Nothing runs and nothing waits.")).to_be_visible()


def test_runs_start_in_the_order_that_was_given(queue):
    desk, (first, second, third) = queue
    grips = desk.panel.get_by_role("button", name=re.compile("^Run .* move with the arrow keys"))
    number = desk.site.server.run(third)["number"]
    grips.nth(2).focus()
    desk.page.keyboard.press("Home")
    expect(grips.nth(0)).to_have_accessible_name(re.compile(f"^Run {number}, place 1 of 3"))
    desk.panel.get_by_role("button", name="Resume the queue").first.click()
    for run in (first, second, third):
        assert desk.site.wait_run(run)["state"] == "done"
    assert [run for run in order(desk) if run in (first, second, third)] == [third, first, second]


def test_a_run_that_goes_on_is_cancelled_in_the_panel(desk):
    from tests.web.editor.desk import chain

    desk.open("endless", chain(120, name="Endless"))
    desk.banner.get_by_role("button", name="Queue").click()
    run = desk.run()
    expect(desk.panel.get_by_role("progressbar", name="Progress of endless")).to_be_visible()
    number = desk.site.server.run(run)["number"]
    desk.panel.get_by_role("button", name=f"Cancel run {number}").click()
    assert desk.site.wait_run(run)["state"] == "cancelled"
    desk.expect_state("wait_1", "cancelled")
