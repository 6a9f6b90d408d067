"""What a run shows while it goes on and afterwards, and what it survives."""

import os
import re
import signal

import pytest
from playwright.sync_api import expect

from tests.web.editor.desk import chain
from tests.web.server.kit import one

SUM = {
    "version": 1,
    "name": "Sum",
    "nodes": {
        "count": {"type": "Count", "inputs": {"value": 1}},
        "noise": {"type": "Noise", "inputs": {"seed": 5}},
        "add": {"type": "Add", "inputs": {"a": {"link": "count.number"}, "b": {"link": "noise.number"}}},
    },
    "interface": {"outputs": {"sum": "add.number"}},
    "layout": {"count": [0, 0], "noise": [0, 160], "add": [320, 0]},
}


def foresight(desk, node_id):
    return desk.node(node_id).get_by_role("img", name=re.compile("^Will "))


def test_before_a_run_each_node_says_whether_it_will_run_and_why_and_afterwards_what_was_reused(desk):
    desk.open("sum", SUM)
    expect(foresight(desk, "add")).to_have_accessible_name(re.compile("^Will run"))
    desk.run_to_end()
    expect(foresight(desk, "count")).to_have_accessible_name(re.compile("^Will be reused"))
    desk.set_number("noise", "Seed", 6)
    expect(foresight(desk, "noise")).to_have_accessible_name(re.compile(r"^Will run.*seed.*5.*6"))
    expect(foresight(desk, "count")).to_have_accessible_name(re.compile("^Will be reused"))
    desk.run_to_end()
    desk.expect_state("count", "reused")
    desk.expect_state("noise", "done")
    desk.expect_state("add", "done")


@pytest.mark.parametrize("mode", ["random", "increment"])
def test_the_seed_that_is_shown_is_the_seed_that_ran(desk, mode):
    desk.open(f"seed_{mode}", {**one("Dice", seed=5), "name": mode})
    field = desk.node("dice").get_by_role("spinbutton", name="Seed")
    for _ in range(1 if mode == "random" else 2):
        desk.node("dice").get_by_role("button", name=re.compile(r"^Seed: \w+\. Change to")).click()
    expect(desk.node("dice").get_by_role("button", name=re.compile(f"^Seed: {mode}"))).to_be_visible()
    shown = []
    for _ in range(2):
        run = desk.run_to_end()
        expect(field).to_have_value(str(run["drawn"]["dice.seed"]))
        shown.append(run["drawn"]["dice.seed"])
    assert shown == [6, 7] if mode == "increment" else shown[0] != shown[1]
    found = desk.saved()
    assert found["nodes"]["dice"]["inputs"]["seed"] == shown[-1]
    assert found["seeds"] == {"dice.seed": mode}


def test_a_reload_and_a_second_tab_show_the_run_that_is_under_way(desk):
    desk.open("slow", chain(0.01, 120, name="Slow"))
    desk.set_number("wait_1", "Seconds", 90)
    run = desk.run()
    running = re.compile(r", running \d+ %$")
    expect(desk.node("wait_1")).to_have_attribute("aria-label", running)
    desk.page.reload()
    expect(desk.node("wait_1")).to_have_attribute("aria-label", running)
    desk.expect_state("wait_2", "waiting")
    expect(desk.page).to_have_title(re.compile(r"^\d+ % Slow - Patchbay$"))
    other = desk.second_tab()
    expect(other.node("wait_1")).to_have_attribute("aria-label", running)
    other.banner.get_by_role("button", name="Cancel").click()
    assert desk.site.wait_run(run)["state"] == "cancelled"
    for one_of in (desk, other):
        one_of.expect_state("wait_1", "cancelled")
        one_of.expect_idle()


def test_a_run_goes_on_when_its_worker_is_killed(desk):
    desk.open("killed", chain(4, name="Killed"))
    run = desk.run()
    expect(desk.node("wait_1")).to_have_attribute("aria-label", re.compile(r", running \d+ %$"))
    for pid in desk.site.server.workers:
        os.kill(pid, signal.SIGKILL)
    expect(desk.toast(re.compile("is queued again"))).to_be_visible()
    found = desk.site.wait_run(run)
    assert (found["state"], found["attempt"]) == ("done", 2)
    desk.expect_state("wait_1", "done")
    desk.expect_idle()


def test_a_failure_is_told_on_its_node_and_gone_to(desk):
    document = one("Fail", message="The lamp is broken.")
    document["nodes"]["after"] = {"type": "Next", "inputs": {"number": {"link": "fail.number"}}}
    document["interface"]["outputs"] = {"out": "after.number"}
    document["layout"] = {"fail": [0, 0], "after": [320, 0]}
    desk.open("failing", document)
    assert desk.site.wait_run(desk.run())["state"] == "failed"
    expect(desk.node("fail")).to_have_attribute("aria-label", re.compile("failed: .*The lamp is broken"))
    desk.expect_state("after", "skipped")
    desk.canvas.focus()
    desk.page.keyboard.press("e")
    expect(desk.node("fail")).to_be_focused()


def test_a_run_to_here_runs_nothing_further(desk):
    desk.open("partly", {**SUM, "name": "Partly"})
    desk.set_number("count", "Value", 77)
    before = {run["id"] for run in desk.site.runs()}
    desk.node("count").get_by_role("button", name="Menu of count").click()
    desk.menu().get_by_role("menuitem", name="Run to here").click()
    found = desk.site.wait_run(desk.new_run(before))
    assert found["state"] == "done"
    desk.expect_state("count", "done")
    expect(desk.node("add")).not_to_have_attribute("aria-label", re.compile("done|reused"))
