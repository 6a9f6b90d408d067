"""What a person does at the editor, by the names that the page gives its parts."""

import json
import re
import time
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.web.server.kit import ServerProcess, make_home

PATIENCE = 60_000
"""Milliseconds after which something that was waited for will not come. A busy machine is slow."""

GONE = "ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket connection"
"""What a browser complains of while a server is down, and of what it was asking when it went."""

POCKET = {
    "version": 1,
    "name": "Fox",
    "nodes": {
        "load": {"type": "LoadModel", "inputs": {"model": "pocket"}},
        "prompt": {
            "type": "EncodeText",
            "inputs": {"text_encoder": {"link": "load.text_encoder"}, "text": "a red circle"},
        },
        "size": {"type": "EmptyLatent", "inputs": {"width": 128, "height": 128, "batch": 1}},
        "sample": {
            "type": "Sample",
            "inputs": {
                "model": {"link": "load.model"},
                "positive": {"link": "prompt.conditioning"},
                "latent": {"link": "size.latent"},
                "steps": 3,
                "guidance": 3.0,
                "seed": 7,
            },
        },
        "decode": {
            "type": "VAEDecode",
            "inputs": {"vae": {"link": "load.vae"}, "latent": {"link": "sample.latent"}},
        },
    },
    "interface": {"inputs": {"prompt": "prompt.text"}, "outputs": {"image": "decode.image"}},
    "layout": {"load": [0, 0], "prompt": [320, 0], "size": [320, 240], "sample": [640, 0], "decode": [960, 0]},
}
"""Text to image with the model in the box, in as few steps as give a picture."""

DICE = '''
"""A node with a seed, of which no model has to be loaded."""

from typing import Annotated

from pydantic import Field

from engine import node


@node("Dice")
def dice(*, seed: Annotated[int, Field(ge=0, lt=2**63, json_schema_extra={"format": "seed"})] = 0) -> int:
    """A number that a seed gives."""
    return seed
'''


def furnish(folder):
    """A data folder with nodes that are quick."""
    home = make_home(folder)
    (home / "nodes" / "dice.py").write_text(DICE)
    return home


def graph(**inputs):
    """The graph above with other values: `graph(sample={"steps": 9})`."""
    found = json.loads(json.dumps(POCKET))
    for node, values in inputs.items():
        found["nodes"][node]["inputs"].update(values)
    return found


def chain(*seconds, name="Chain"):
    """A graph of nodes that wait, one after another, and say how far they are."""
    nodes = {
        f"wait_{place}": {"type": "Wait", "inputs": {"seconds": long, "steps": 40}}
        for place, long in enumerate(seconds, 1)
    }
    for place in range(2, len(seconds) + 1):
        nodes[f"wait_{place}"]["inputs"]["seconds"] = {"link": f"wait_{place - 1}.number"}
    layout = {node: [300 * place, 0] for place, node in enumerate(nodes)}
    outputs = {"out": f"wait_{len(seconds)}.number"}
    return {"version": 1, "name": name, "nodes": nodes, "interface": {"outputs": outputs}, "layout": layout}


def drawing(shade, name="Drawing", **inputs):
    """A graph that draws one small picture without any model."""
    return {
        "version": 1,
        "name": name,
        "nodes": {"draw": {"type": "Draw", "inputs": {"shade": shade, **inputs}}},
        "interface": {"inputs": {"shade": "draw.shade"}, "outputs": {"picture": "draw.drawing"}},
        "layout": {"draw": [0, 0]},
    }


class Watch:
    """Everything that a browser complains of: its console, failed requests, requests to other hosts."""

    def __init__(self, context):
        self._context = context
        self._found = []
        self._expected = []
        self.host = None
        context.on("console", self._hear_console)
        context.on("weberror", lambda error: self._add(f"page error: {error.error}"))
        context.on("request", self._hear_request)
        context.on("requestfailed", self._hear_failed)

    def expect(self, pattern):
        """A complaint that the test means to bring about."""
        self._expected.append(re.compile(pattern))

    @property
    def complaints(self):
        return [line for line in self._found if not any(pattern.search(line) for pattern in self._expected)]

    def _add(self, line):
        self._found.append(line)

    def _hear_console(self, message):
        if message.type in ("error", "warning"):
            self._add(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    def _hear_request(self, request):
        address = urlsplit(request.url)
        if address.scheme in ("blob", "data"):
            return
        if address.hostname != "127.0.0.1":
            self._add(f"a request to another host: {request.url}")

    def _hear_failed(self, request):
        # what a page that is left had asked for is of no use to it any more
        if request.failure != "net::ERR_ABORTED":
            self._add(f"failed request: {request.method} {request.url}: {request.failure}")


class Site:
    """A server, and what tests ask of it past the browser."""

    def __init__(self, server):
        self.server = server

    @classmethod
    def start(cls, home, port=0, *arguments):
        # one thread: the browser needs a core of its own, and threads that wait for each other lose to it
        return cls(ServerProcess(home, port, {"OMP_NUM_THREADS": "1"}, arguments).wait_ready())

    def address(self, path="/"):
        return f"{self.server.url}{path}" + (f"?token={self.server.token}" if self.server.token else "")

    def request(self, method, path, body=None):
        return self.server.request(method, path, body, timeout=120)

    def save(self, name, document):
        """Put a graph on the server as if somebody else had."""
        headers = self._etag(name)
        status, answer = self._put(name, document, headers)
        assert status in (200, 201), answer
        return name

    def _etag(self, name):
        found = next((one for one in self.graphs() if one["name"] == name), None)
        return {"If-Match": f'"{found["etag"]}"'} if found else {"If-None-Match": "*"}

    def _put(self, name, document, headers):
        import urllib.error
        import urllib.request

        request = urllib.request.Request(  # noqa: S310  # our own server
            f"{self.server.url}/api/graphs/{name}",
            json.dumps(document).encode(),
            {"Authorization": f"Bearer {self.server.token}", "Content-Type": "application/json", **headers},
            method="PUT",
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def graphs(self):
        return self.request("GET", "/api/graphs")[1]["graphs"]

    def document(self, name):
        status, found = self.request("GET", f"/api/graphs/{name}")
        assert status == 200, found
        return found

    def runs(self):
        return self.server.all_runs()

    def wait_run(self, run_id, *states):
        return self.server.wait(run_id, *states, seconds=PATIENCE / 1000 * 3)


class Desk:
    """A person at the editor in one page."""

    def __init__(self, page, site, watch):
        self.page = page
        self.site = site
        self.watch = watch

    # --- getting there

    def visit(self, path="/"):
        self.page.goto(self.site.address(path))
        return self

    def open(self, name, document=None):
        """Open a graph, which is first saved where it is given."""
        if document is not None:
            self.site.save(name, document)
        self.visit(f"/graph/{name}")
        expect(self.canvas).to_be_visible()
        for node in self.site.document(name)["nodes"]:
            expect(self.node(node)).to_be_visible()
        return self

    def create(self):
        """Begin a new graph."""
        self.visit()
        self.page.get_by_role("complementary", name="Panel").get_by_role("button", name="New graph").click()
        expect(self.page).to_have_url(re.compile("/graph/untitled"))
        expect(self.canvas).to_be_visible()
        return self

    def second_tab(self, path=None):
        """Another tab of the same browser, at the same place."""
        other = Desk(self.page.context.new_page(), self.site, self.watch)
        other.visit(path or urlsplit(self.page.url).path)
        expect(other.canvas).to_be_visible()
        return other

    # --- what there is

    @property
    def name(self):
        return urlsplit(self.page.url).path.rsplit("/", 1)[-1]

    @property
    def canvas(self):
        return self.page.get_by_role("application", name="Canvas")

    @property
    def banner(self):
        return self.page.get_by_role("banner")

    @property
    def panel(self):
        return self.page.get_by_role("complementary", name="Panel")

    @property
    def palette(self):
        return self.page.get_by_role("dialog", name=re.compile("Add a node|Link to"))

    def node(self, node_id):
        return self.page.get_by_role("group", name=re.compile(rf"^[^,]+, {re.escape(node_id)}(,|:|$)"))

    def port(self, path, side):
        node, port = path.split(".")
        word = port.replace("_", " ")
        return self.node(node).get_by_role("button", name=re.compile(rf"^{word}, {side}put(,|$)"))

    def toast(self, text):
        return self.page.get_by_role("region", name="Notices").get_by_text(text)

    def menu(self):
        return self.page.get_by_role("menu")

    # --- what a person does

    def command(self, title):
        """Do something by its name in the command palette."""
        self.page.keyboard.press("Control+k")
        found = self.page.get_by_role("dialog", name="Commands")
        found.get_by_role("combobox").fill(title)
        found.get_by_role("option", name=title).first.click()
        expect(found).to_have_count(0)
        self.settle()  # the command is taken once the palette is gone

    def add(self, node_type, at):
        """Double-click on empty space and take a node type from the palette."""
        left, top = self.corner()
        self.page.mouse.dblclick(left + at[0], top + at[1])
        self.take(node_type)

    def take(self, node_type):
        """Find an entry of the palette that is open and take it with Enter."""
        expect(self.palette).to_be_visible()
        self.palette.get_by_role("combobox").fill(node_type)
        expect(self.palette.get_by_role("option").first).to_contain_text(node_type)
        self.page.keyboard.press("Enter")
        expect(self.palette).to_have_count(0)

    def corner(self):
        box = self.canvas.bounding_box()
        return box["x"], box["y"]

    def grasp(self, path, side):
        """Press the pointer on a port."""
        self.page.mouse.move(*middle(self.port(path, side)))
        self.page.mouse.down()

    def carry(self, path, side):
        """Move what the pointer holds to a port, without letting go."""
        x, y = middle(self.port(path, side))
        self.page.mouse.move(x - 30, y + 20, steps=4)
        self.page.mouse.move(x, y, steps=4)

    def link(self, output, target):
        """Drag a link from an output to an input."""
        self.grasp(output, "out")
        self.carry(target, "in")
        self.page.mouse.up()
        self.expect_linked(output, target)

    def link_to_space(self, path, side, at):
        """Drag a link out of a port and let it go over empty space."""
        left, top = self.corner()
        self.grasp(path, side)
        self.page.mouse.move(left + at[0] - 20, top + at[1] - 20, steps=4)
        self.page.mouse.move(left + at[0], top + at[1], steps=4)
        self.page.mouse.up()

    def expect_linked(self, output, target):
        expect(self.port(target, "in")).to_have_attribute(
            "aria-label", re.compile(rf"linked to (.*, )?{re.escape(output)}(,|$)")
        )

    def drag(self, start, end):
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=3)
        self.page.mouse.move(*end, steps=3)
        self.page.mouse.up()

    def fit(self):
        self.canvas.focus()
        self.page.keyboard.press("f")

    def set_number(self, node_id, label, value):
        field = self.node(node_id).get_by_role("spinbutton", name=label, exact=True)
        field.click()
        field.fill(str(value))
        field.press("Enter")
        expect(field).to_have_value(str(value))

    def write(self, node_id, label, text):
        self.node(node_id).get_by_role("textbox", name=label, exact=True).fill(text)

    def drop_file(self, name, kind, data, at=(400, 300)):
        """Drop a file from outside onto the canvas."""
        held = self.page.evaluate_handle(
            """([name, type, bytes]) => {
                const data = new DataTransfer();
                data.items.add(new File([new Uint8Array(bytes)], name, { type }));
                return data;
            }""",
            [name, kind, list(data)],
        )
        left, top = self.corner()
        where = {"dataTransfer": held, "clientX": left + at[0], "clientY": top + at[1]}
        self.canvas.dispatch_event("dragover", where)
        self.canvas.dispatch_event("drop", where)

    # --- running and saving

    def run(self):
        """Press Run; the id of the run."""
        before = {run["id"] for run in self.site.runs()}
        self.run_button.click()
        return self.new_run(before)

    @property
    def run_button(self):
        return self.banner.get_by_role("button", name=re.compile(r"^Run\b"))

    def new_run(self, before):
        end = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < end:
            for run in self.site.runs():
                if run["id"] not in before:
                    return run["id"]
            self.page.wait_for_timeout(50)
        message = "no run was queued"
        raise AssertionError(message)

    def run_to_end(self):
        """Run the graph and wait until the page knows that it is done."""
        run = self.run()
        found = self.site.wait_run(run)
        assert found["state"] == "done", found["error"]
        self.expect_idle()
        return found

    def expect_idle(self):
        expect(self.banner.get_by_role("button", name="Cancel")).to_have_count(0)

    def expect_state(self, node_id, state):
        expect(self.node(node_id)).to_have_attribute("aria-label", re.compile(rf", {state}$"))

    def settle(self):
        """Let the page do what it has put off until it has time."""
        self.page.evaluate("new Promise((done) => setTimeout(() => setTimeout(done)))")

    def saved(self):
        """The document as the server has it once everything is saved."""
        self.settle()
        expect(self.banner.get_by_role("status")).to_have_text("Saved")
        return self.site.document(self.name)


def middle(locator):
    box = locator.bounding_box()
    assert box is not None, f"{locator} is not in sight"
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
