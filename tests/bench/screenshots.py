"""The pictures of the editor in the README: `python -m tests.bench.screenshots` writes docs/pictures/editor-*.png.

They are taken of a real server with the model in the box, at 1440 by 900 pixels, and made small with Pillow.
"""

from __future__ import annotations

import io
import json
import re
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect, sync_playwright

from tests.web.editor.desk import Desk, Site, Watch
from tests.web.server.kit import make_home

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "pictures"
CHROMIUM = "/usr/bin/chromium"
LARGEST = 250_000
PATIENCE = 600_000
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
COLOURS = (256, 192, 128, 96, 64)


def write(name, data):
    """A PNG of at most 250 kB: as it is where that is enough, else with fewer colours."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    held = io.BytesIO()
    picture.save(held, "PNG", optimize=True)
    for colours in COLOURS:
        if held.tell() <= LARGEST:
            break
        held = io.BytesIO()
        picture.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG).save(
            held, "PNG", optimize=True
        )
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"editor-{name}.png"
    path.write_bytes(held.getvalue())
    sys.stdout.write(f"{path.relative_to(ROOT)}: {held.tell() / 1000:.0f} kB\n")


def fox():
    """The shipped text to image, larger."""
    found = json.loads((ROOT / "graphs" / "text_to_image.json").read_text())
    found["nodes"]["size"]["inputs"].update(width=256, height=256)
    return found


def desk_at(browser, site, theme, viewport, **more):
    context = browser.new_context(viewport=viewport, color_scheme=theme, reduced_motion="reduce", **more)
    context.set_default_timeout(PATIENCE)
    return Desk(context.new_page(), site, Watch(context))


def of_a_run(browser, site, theme, seed):
    """A graph while it runs and when it is done."""
    desk = desk_at(browser, site, theme, DESK)
    desk.open("text_to_image")
    desk.set_number("sample", "Seed", seed)
    desk.canvas.focus()
    desk.page.keyboard.press("Shift+t")
    desk.fit()
    run = desk.run()
    expect(desk.page.get_by_alt_text("Preview of sample")).to_be_visible()
    half = re.compile(r"running [4-9]\d %$")
    expect(desk.node("sample")).to_have_attribute("aria-label", half)
    desk.page.mouse.move(10, 600)
    write(f"running-{theme}", desk.page.screenshot())
    site.server.wait(run, seconds=PATIENCE / 1000)
    desk.expect_idle()
    desk.fit()
    desk.page.evaluate("document.activeElement.blur()")
    desk.page.wait_for_timeout(1_500)
    write(f"done-{theme}", desk.page.screenshot())
    desk.page.context.close()


def of_the_palette(browser, site):
    desk = desk_at(browser, site, "dark", DESK)
    desk.open("text_to_image")
    desk.link_to_space("sample.latent", "out", (700, 640))
    expect(desk.palette).to_be_visible()
    desk.page.wait_for_timeout(500)
    write("palette", desk.page.screenshot())
    desk.page.context.close()


def of_a_comparison(browser, site):
    desk = desk_at(browser, site, "dark", DESK)
    desk.open("text_to_image")
    desk.banner.get_by_role("button", name="Gallery").click()
    desk.panel.get_by_role("button", name=re.compile(", made by ")).first.click()
    desk.page.keyboard.press("c")
    expect(desk.page.get_by_role("slider", name="Line between the pictures")).to_be_visible()
    desk.page.wait_for_timeout(1_500)
    write("compare", desk.page.screenshot())
    desk.page.context.close()


def of_the_form(browser, site):
    desk = desk_at(browser, site, "light", PHONE, has_touch=True, is_mobile=True, device_scale_factor=1)
    desk.visit("/form/text_to_image")
    form = desk.page.get_by_role("form", name="Inputs")
    expect(form).to_be_visible()
    desk.page.wait_for_timeout(1_500)
    write("form-phone", desk.page.screenshot())
    before = {run["id"] for run in site.runs()}
    form.get_by_role("button", name="Run").click()
    site.server.wait(desk.new_run(before), seconds=PATIENCE / 1000)
    expect(desk.page.get_by_role("button", name=re.compile("^Show .* large$")).first).to_be_visible()
    desk.page.wait_for_timeout(1_500)
    write("form-phone-done", desk.page.screenshot())
    desk.page.context.close()


def main():
    began = time.monotonic()
    expect.set_options(timeout=PATIENCE)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Site.start(make_home(Path(folder) / "home"))
        site.save("text_to_image", fox())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        of_a_run(browser, site, "dark", 3)
        of_a_run(browser, site, "light", 8)
        of_the_palette(browser, site)
        of_a_comparison(browser, site)
        of_the_form(browser, site)
        browser.close()
        site.server.stop()
    sys.stdout.write(f"{time.monotonic() - began:.0f} s\n")


if __name__ == "__main__":
    main()
