"""Languages and themes."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.editor.desk import drawing

BRIGHTNESS = """() => {
    const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number);
    return (r + g + b) / 3;
}"""


def test_the_editor_speaks_chinese_and_keeps_it(desk):
    desk.open("words", drawing(1, "Words"))
    desk.command("Language: 中文 (Chinese)")
    expect(desk.banner.get_by_role("button", name="运行")).to_be_visible()
    assert desk.page.evaluate("document.documentElement.lang") == "zh-CN"
    desk.page.reload()
    expect(desk.banner.get_by_role("button", name="运行")).to_be_visible()
    expect(desk.page.get_by_role("application", name="画布")).to_be_visible()
    left = [
        word for panel in ("节点", "检查", "队列", "图库", "问题", "快捷键", "设置") for word in english_in(desk, panel)
    ]
    assert left == []


KNOWN = re.compile(
    r"Ctrl|Shift|Alt|Tab|Esc|Enter|Home|End|Del|Backspace|Space|Page|F\d+|English|Patchbay|Draw|draw|Words|Shade|Seconds|JSON|PNG|\bA\b|\bB\b"
)


def english_in(desk, panel):
    """English words that a panel shows though the page is Chinese."""
    desk.banner.get_by_role("button", name=re.compile(f"^{panel}")).click()
    section = desk.page.get_by_role("complementary", name="面板")
    expect(section.get_by_role("heading", name=panel, exact=True)).to_be_visible()
    text = KNOWN.sub("", section.inner_text())
    return [f"{panel}: {word}" for word in re.findall(r"[A-Za-z]{3,}", text)]


@pytest.mark.parametrize("system", ["dark", "light"])
def test_the_theme_follows_the_system_until_one_is_chosen(desk, system):
    desk.page.emulate_media(color_scheme=system)
    desk.open(f"theme_{system}", drawing(1, "Theme"))
    dark = desk.page.evaluate(BRIGHTNESS) < 128
    assert dark == (system == "dark")
    desk.command("Theme: light" if dark else "Theme: dark")
    expect(desk.page.locator("html")).to_have_attribute("data-theme", "light" if dark else "dark")
    assert (desk.page.evaluate(BRIGHTNESS) < 128) != dark
    desk.page.reload()
    expect(desk.canvas).to_be_visible()
    assert (desk.page.evaluate(BRIGHTNESS) < 128) != dark
