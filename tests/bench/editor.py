"""What the editor costs the browser's main thread: `python -m tests.bench.editor` prints a table.

Graphs of realistic nodes (five ports, four widgets), headless Chromium, the built editor served by a real server. A
pan move is a wheel event; its cost is all that the main thread did until the next frame was drawn. Run it on an
otherwise idle machine: the figures are of time, and whatever else runs adds to them.
"""

from __future__ import annotations

import gzip
import json
import re
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.table import Table

from tests.web.editor.desk import Site
from tests.web.server.kit import make_home
from web.editor_build import EDITOR

CHROMIUM = "/usr/bin/chromium"
SIZES = (1_000, 3_000)
MOVES = 60
LOADS = 5
SPECIMEN = "Specimen"
"""A node type of five ports, four of them with widgets."""

NODES = '''
"""A node type for measuring."""

from typing import Annotated, Literal

from pydantic import Field

from engine import node


@node("Specimen")
def specimen(
    number: int | None = None,
    *,
    steps: Annotated[int, Field(ge=1, le=1000)] = 20,
    guidance: Annotated[float, Field(ge=0, le=30)] = 7.5,
    mode: Literal["fast", "good", "best"] = "good",
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0,
) -> int:
    """A number."""
    return steps
'''


def graph(size):
    """Nodes in a grid, each linked to the one before in its row."""
    columns = int(size**0.5 * 1.2)
    nodes, layout = {}, {}
    for place in range(size):
        column, row = place % columns, place // columns
        inputs = {"number": {"link": f"node_{place - 1}.number"}} if column else {}
        nodes[f"node_{place}"] = {"type": SPECIMEN, "inputs": {**inputs, "steps": 1 + place % 50, "seed": place}}
        layout[f"node_{place}"] = [column * 320, row * 220]
    last = f"node_{size - 1}.number"
    return {
        "version": 1,
        "name": f"Bench {size}",
        "nodes": nodes,
        "interface": {"outputs": {"out": last}},
        "layout": layout,
    }


class Thread:
    """The main thread's time, as Chromium's own counters have it."""

    def __init__(self, page):
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def milliseconds(self):
        found = {one["name"]: one["value"] for one in self._session.send("Performance.getMetrics")["metrics"]}
        return found["TaskDuration"] * 1e3


FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"


WHERE = "() => document.querySelector('.react-flow__viewport').style.transform"


def pan(page, thread):
    """Milliseconds of main-thread time of each of 60 moves; what looking costs by itself is taken off."""
    idle = statistics.median(step(page, thread, None) for _ in range(20))
    took = [max(0.0, step(page, thread, place) - idle) for place in range(MOVES)]
    return statistics.median(took), max(took)


def step(page, thread, place):
    where = page.evaluate(WHERE)
    before = thread.milliseconds()
    if place is not None:
        page.mouse.wheel(7 if place % 20 < 10 else -7, 5 if place % 20 < 10 else -5)
    page.evaluate(FRAMES)
    took = thread.milliseconds() - before
    if place is not None and page.evaluate(WHERE) == where:
        message = "the wheel did not move the canvas"
        raise SystemExit(message)
    return took


def load(context, address):
    """Milliseconds of main-thread time from opening the page to the graph standing there."""
    page = context.new_page()
    thread = Thread(page)
    before = thread.milliseconds()
    page.goto(address)
    page.get_by_text(re.compile(r"^[\d,]+ nodes$")).wait_for(timeout=120_000)
    page.wait_for_load_state("networkidle")
    page.evaluate(FRAMES)
    took = thread.milliseconds() - before
    page.close()
    return took


def first_load():
    """Bytes of JavaScript, gzipped, that the page and the canvas load before anything is clicked."""
    assets = EDITOR.static / "assets"
    return {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in sorted(assets.glob("*.js"))}


def look_at(browser, site, table):
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(120_000)
    context.new_page().goto(site.address("/"))
    for size in SIZES:
        site.save(f"bench_{size}", graph(size))
    for size in SIZES:
        took = [load(context, site.address(f"/graph/bench_{size}")) for _ in range(LOADS)]
        table.add_row(f"load of the page with {size} nodes", *cells(took), "350" if size == 1_000 else "")
    for size in SIZES:
        page = context.new_page()
        page.goto(site.address(f"/graph/bench_{size}"))
        page.get_by_text(re.compile(r"^[\d,]+ nodes$")).wait_for()
        page.wait_for_load_state("networkidle")
        page.mouse.move(700, 450)
        thread = Thread(page)
        aim = "20" if size == 1_000 else "25"
        for where, keys in (("all in view", "f"), ("zoom 1", "1")):
            page.get_by_role("application", name="Canvas").focus()
            page.keyboard.press(keys)
            page.wait_for_timeout(1_000)
            median, worst = pan(page, thread)
            table.add_row(f"pan move, {size} nodes, {where}", f"{median:.1f}", f"{worst:.1f}", aim)
        page.close()
    context.close()


def cells(took):
    return f"{statistics.median(took):.0f}", f"{max(took):.0f}"


def requested(browser, site):
    """The scripts that opening a graph asks for."""
    page = browser.new_page()
    names = []
    page.on("request", lambda request: names.append(Path(request.url.split("?")[0]).name))
    page.goto(site.address("/graph/bench_1000"))
    page.wait_for_load_state("networkidle")
    page.close()
    return [name for name in names if name.endswith(".js")]


def main():
    table = Table("what", "median ms", "worst ms", "aim", box=None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = make_home(Path(folder) / "home")
        (home / "nodes" / "specimen.py").write_text(NODES)
        site = Site.start(home)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        look_at(browser, site, table)
        scripts = set(requested(browser, site))
        browser.close()
        site.server.stop()
    Console(width=100).print(table)
    sizes = first_load()
    total = sum(size for name, size in sizes.items() if name in scripts)
    sys.stdout.write(f"JavaScript of the first load, gzipped: {total / 1000:.0f} kB (aim: under 500 kB)\n")
    sys.stdout.write(json.dumps({name: round(size / 1000, 1) for name, size in sizes.items()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
