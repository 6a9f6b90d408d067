"""Links that cannot work are refused where they would end."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.editor.desk import graph


@pytest.mark.parametrize(
    ("output", "target", "reason"),
    [
        ("load.vae", "sample.model", r"Wants Denoiser\[\w+\], this is VAE\[\w+\]"),
        ("size.latent", "prompt.text", r"Wants text, this is BlankLatent"),
        ("sample.latent", "sample.latent", r"Would close a circle"),
    ],
)
def test_a_link_that_does_not_fit_is_refused_at_the_cursor_and_nothing_changes(desk, output, target, reason):
    desk.open("refused", graph())
    before = desk.site.document("refused")
    desk.grasp(output, "out")
    desk.carry(target, "in")
    expect(desk.page.get_by_text(re.compile(reason)).first).to_be_visible()
    desk.page.mouse.up()
    expect(desk.banner.get_by_role("button", name="Undo", exact=True)).to_be_disabled()
    assert desk.saved() == before


def test_ports_that_do_not_fit_dim_while_a_link_is_dragged(desk):
    desk.open("dimmed", graph())
    desk.grasp("load.vae", "out")
    desk.carry("sample.model", "in")
    fits = {path: seen(desk, path) for path in ("decode.vae", "sample.model", "sample.positive", "prompt.text")}
    desk.page.mouse.up()
    assert fits["decode.vae"] == 1
    assert max(fits["sample.model"], fits["sample.positive"], fits["prompt.text"]) < 1


SEEN = """element => {
    let seen = 1;
    for (let at = element; at; at = at.parentElement) seen *= getComputedStyle(at).opacity;
    return seen;
}"""


def seen(desk, path):
    """How much of a port is seen, whatever around it is dimmed."""
    return desk.port(path, "in").evaluate(SEEN)


def test_a_link_that_is_pulled_off_and_let_go_over_nothing_is_gone(desk):
    desk.open("pulled", graph())
    left, top = desk.corner()
    desk.grasp("decode.latent", "in")
    desk.page.mouse.move(left + 700, top + 700, steps=6)
    expect(desk.page.get_by_text("Let go to remove the link")).to_be_visible()
    desk.page.mouse.up()
    expect(desk.port("decode.latent", "in")).not_to_have_attribute("aria-label", re.compile("linked"))
    assert "latent" not in desk.saved()["nodes"]["decode"]["inputs"]
