"""Text to image from an empty canvas, with the mouse and with the keyboard."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.editor.desk import Desk

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


def run_and_see(desk):
    run = desk.run()
    expect(desk.page.get_by_alt_text("Preview of sample")).to_be_visible()
    assert desk.site.wait_run(run)["state"] == "done"
    desk.expect_state("save_image", "done")


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
    for label, value in (("Width", 256), ("Height", 256)):
        desk.set_number("empty_latent", label, value)
    desk.set_number("sample", "Steps", 12)
    check_built(desk)
    run_and_see(desk)
    expect(desk.node("vae_decode").get_by_role("button", name=re.compile("^Picture 1"))).to_be_visible()


def pick_model(desk):
    button = desk.node("load_model").get_by_role("button", name=re.compile("^Model: "))
    button.click()
    desk.page.get_by_role("option", name=re.compile("^pocket")).click()
    expect(button).to_have_accessible_name("Model: pocket")
