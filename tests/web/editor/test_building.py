"""Text to image from an empty canvas, with the mouse and with the keyboard."""

import re

import pytest
from playwright.sync_api import expect

LINKS = {
    "encode_text.text_encoder": "load_model.text_encoder",
    "sample.model": "load_model.model",
    "sample.positive": "encode_text.conditioning",
    "sample.latent": "empty_latent.latent",
    "vae_decode.vae": "load_model.vae",
    "vae_decode.latent": "sample.latent",
    "save_image.image": "vae_decode.image",
}


@pytest.fixture
def empty(desk):
    """A new graph, and nothing beside it."""
    desk.create()
    desk.page.get_by_role("button", name="Close the panel").click()
    return desk


def check_built(desk):
    """What both ways of building end in: the same links, and a picture."""
    found = desk.saved()
    linked = {
        f"{node}.{port}": value["link"]
        for node, placed in found["nodes"].items()
        for port, value in placed["inputs"].items()
        if isinstance(value, dict)
    }
    assert linked == LINKS
    assert found["nodes"]["encode_text"]["inputs"]["text"] == "a blue square"


# A preview may be there for a moment only, so it is noted when it comes.
NOTE_PREVIEWS = """() => {
    window.previews = new Set();
    const found = () => document.querySelectorAll("img[alt^='Preview of']");
    const look = () => found().forEach((img) => window.previews.add(img.src));
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""


def run_and_see(desk):
    desk.page.evaluate(NOTE_PREVIEWS)
    run = desk.site.wait_run(desk.run())
    assert run["state"] == "done", run["error"]
    desk.expect_state("save_image", "done")
    assert desk.page.evaluate("window.previews.size") > 0


def test_text_to_image_is_built_with_the_mouse(empty):
    desk = empty
    desk.add("LoadModel", (20, 40))
    desk.add("EncodeText", (320, 20))
    desk.add("EmptyLatent", (320, 330))
    desk.add("Sample", (640, 40))
    desk.link("load_model.text_encoder", "encode_text.text_encoder")
    desk.link("load_model.model", "sample.model")
    desk.link("encode_text.conditioning", "sample.positive")
    desk.link("empty_latent.latent", "sample.latent")
    desk.link_to_space("sample.latent", "out", (960, 60))
    expect(desk.palette.get_by_role("combobox")).to_have_attribute("placeholder", re.compile("Latent"))
    expect(desk.palette.get_by_role("option", name="EncodeText")).to_have_count(0)
    desk.take("VAEDecode")
    desk.expect_linked("sample.latent", "vae_decode.latent")
    desk.link("load_model.vae", "vae_decode.vae")
    desk.link_to_space("vae_decode.image", "out", (960, 260))
    desk.take("SaveImage")
    pick_model(desk)
    desk.write("encode_text", "Text", "a blue square")
    desk.write("save_image", "Name", "square")
    for label in ("Width", "Height"):
        desk.set_number("empty_latent", label, 128)
    desk.set_number("sample", "Steps", 4)
    check_built(desk)
    run_and_see(desk)
    expect(picture(desk)).to_be_visible()
    desk.set_number("sample", "Seed", 12)
    expect(desk.node("encode_text").get_by_role("img", name=re.compile("^Will be reused"))).to_be_visible()
    desk.run_to_end()
    desk.expect_state("encode_text", "reused")
    desk.expect_state("sample", "done")


def picture(desk):
    return desk.page.get_by_role("button", name=re.compile("^Picture 1 of (vae_decode|save_image)"))


def pick_model(desk):
    button = desk.node("load_model").get_by_role("button", name=re.compile("^Model: "))
    button.click()
    desk.page.get_by_role("option", name=re.compile("^pocket")).click()
    expect(button).to_have_accessible_name("Model: pocket")


def test_text_to_image_is_built_with_the_keyboard_alone(desk):
    desk.visit()
    expect(desk.panel.get_by_role("heading", name="Templates")).to_be_visible()
    keys = desk.page.keyboard
    keys.press("Alt+n")
    expect(desk.page).to_have_url(re.compile("/graph/untitled"))
    desk.canvas.focus()
    keys.press("Tab")
    desk.take("LoadModel")
    into(desk, "load_model")
    reach(desk, desk.node("load_model").get_by_role("button", name=re.compile("^Model: ")))
    keys.press("Enter")
    keys.type("pocket")
    keys.press("Enter")
    enter_port(desk, "load_model.text_encoder", "out")
    desk.take("EncodeText")
    reach(desk, desk.node("encode_text").get_by_role("textbox", name="Text"))
    keys.type("a blue square")
    enter_port(desk, "encode_text.conditioning", "out")
    desk.take("Sample")
    enter_port(desk, "sample.model", "in")
    desk.take("load_model.model")
    enter_port(desk, "sample.latent", "in")
    desk.take("EmptyLatent")
    reach(desk, desk.node("empty_latent").get_by_role("spinbutton", name="Width"))
    number(desk, "128")
    reach(desk, desk.node("empty_latent").get_by_role("spinbutton", name="Height"))
    number(desk, "128")
    reach(desk, desk.node("sample").get_by_role("spinbutton", name="Steps"))
    number(desk, "4")
    enter_port(desk, "sample.latent", "out")
    desk.take("VAEDecode")
    enter_port(desk, "vae_decode.vae", "in")
    desk.take("load_model.vae")
    enter_port(desk, "vae_decode.image", "out")
    desk.take("SaveImage")
    reach(desk, desk.node("save_image").get_by_role("textbox", name="Name"))
    keys.type("square")
    check_built(desk)
    before = {run["id"] for run in desk.site.runs()}
    keys.press("Control+Enter")
    run = desk.site.wait_run(desk.new_run(before))
    assert run["state"] == "done", run["error"]
    desk.expect_state("save_image", "done")
    expect(picture(desk)).to_be_visible()


def number(desk, text):
    """Write a number into the field that has the focus."""
    desk.page.keyboard.press("Control+a")
    desk.page.keyboard.type(text)
    desk.page.keyboard.press("Enter")


def into(desk, node_id):
    expect(desk.node(node_id)).to_be_focused()
    desk.page.keyboard.press("Enter")


def enter_port(desk, path, side):
    reach(desk, desk.port(path, side))
    desk.page.keyboard.press("Enter")


def reach(desk, locator):
    """Go to an element with Tab and Shift+Tab alone; on a node Enter goes inside first, since Tab adds nodes there."""
    for key in ("Tab", "Shift+Tab"):
        for _ in range(80):
            if locator.evaluate("element => element === document.activeElement"):
                return
            on_canvas = desk.page.evaluate("document.activeElement.matches('[data-keys=canvas]')")
            desk.page.keyboard.press("Enter" if on_canvas and key == "Tab" else key)
    message = f"the keyboard does not reach {locator}"
    raise AssertionError(message)
