import { act } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { NodeType } from "../graph/catalog";
import type { GraphDocument } from "../graph/document";
import { AGAIN, ApiError, type Artifact, api, type GraphEntry, type Run } from "../state/api";
import { useCatalog } from "../state/catalog";
import { registerCommands } from "../state/commands";
import { useDocument } from "../state/document";
import { usePlan } from "../state/plan";
import { useRuns } from "../state/runs";
import { useUi } from "../state/ui";
import { clear, findings, render } from "../widgets/render";
import { CommandPalette } from "./CommandPalette";
import { ConflictDialog } from "./ConflictDialog";
import { GalleryPanel } from "./GalleryPanel";
import { GraphsPanel } from "./GraphsPanel";
import { InspectPanel } from "./InspectPanel";
import { KeysPanel } from "./KeysPanel";
import { Lightbox } from "./Lightbox";
import { NodePanel } from "./NodePanel";
import { ProblemsPanel } from "./ProblemsPanel";
import { QueuePanel } from "./QueuePanel";
import { SettingsPanel } from "./SettingsPanel";
import { Toasts } from "./Toasts";
import { TopBar } from "./TopBar";

const STEPS: NodeType = {
  id: "Steps",
  category: "test",
  summary: "Counts.",
  inputs: [
    {
      name: "count",
      type: { is: "scalar", name: "int" },
      label: "int",
      required: false,
      dial: true,
      lazy: false,
      description: "How many.",
      schema: { type: "integer", minimum: 0, default: 3 },
    },
  ],
  outputs: [{ name: "total", type: { is: "scalar", name: "int" }, label: "int" }],
  device: false,
  effect: false,
  deterministic: true,
  version: 1,
};

const DOC: GraphDocument = {
  version: 1,
  name: "Fox",
  nodes: { one: { type: "Steps", inputs: { count: 5 } }, two: { type: "Steps" } },
};

const PICTURE: Artifact = {
  digest: "d1",
  file: "fox-0001.png",
  media_type: "image/png",
  bytes: 9,
  width: 64,
  height: 32,
};
const OTHER: Artifact = { ...PICTURE, digest: "d2", file: "fox-0002.png" };

function runOf(id: string, more: Partial<Run> = {}): Run {
  const times = { created: 1e9, started: 1e9, finished: 1e9 + 2 };
  const base = {
    id,
    number: Number(id),
    name: "fox",
    state: "done",
    priority: 0,
    place: 0,
    attempt: 1,
    tries: 1,
  } as const;
  const rest = { cancelling: false, inputs: {}, outputs: {}, files: [], error: null, document: "" };
  return { ...base, ...times, ...rest, ...more } as Run;
}

const runs = useRuns.getInitialState();
const doc = useDocument.getInitialState();

beforeEach(() => {
  useCatalog.setState({ status: "ready", types: { Steps: STEPS }, models: [], problems: [] });
  useDocument.setState({ ...doc, name: "fox", document: DOC, save: { state: "saved" } });
  useRuns.setState(runs);
  usePlan.setState({ foresight: {}, problems: [], ofNode: {}, checking: false });
  useUi.setState({ ...useUi.getInitialState() });
});

afterEach(async () => {
  await clear();
  vi.restoreAllMocks();
});

const text = () => document.body.textContent ?? "";

test("the top bar says what undo would undo, and how many runs wait", async () => {
  useDocument.setState({ undoLabel: "edit.value" });
  useRuns.setState({ queue: { paused: true, running: null, order: ["4", "5"] } });
  const { find } = await render(<TopBar />);
  expect(find("[aria-label='Undo: Change a value']")).toBeTruthy();
  expect(find(".run-count").textContent).toContain("2");
  expect(text()).toContain("Queue paused");
  expect(find<HTMLButtonElement>("[aria-label='Redo']").disabled).toBe(true);
});

test("a graph is renamed in the top bar, and Escape keeps the name", async () => {
  const renameGraph = vi.fn(async () => {});
  useDocument.setState({ renameGraph });
  const { find, type, press, leave } = await render(<TopBar />);
  const title = find<HTMLInputElement>("input.top-title");
  await type(title, "Wolf");
  await press(title, "Escape");
  await leave(title);
  expect(renameGraph).not.toHaveBeenCalled();
  await type(title, " Wolf ");
  await leave(title);
  expect(renameGraph).toHaveBeenCalledExactlyOnceWith("Wolf");
});

test("a waiting run is moved with the arrow keys", async () => {
  const move = vi.fn(async () => {});
  const waiting = ["1", "2", "3"].map((id) => runOf(id, { state: "queued", started: null, finished: null }));
  const byId = Object.fromEntries(waiting.map((run) => [run.id, run]));
  useRuns.setState({ runs: byId, queue: { paused: false, running: null, order: ["1", "2", "3"] }, move });
  const { find, press } = await render(<QueuePanel />);
  await press(find(".run-row:nth-child(2) .grip"), "ArrowUp");
  expect(move).toHaveBeenLastCalledWith("2", { to: "first" });
  await press(find(".run-row:nth-child(1) .grip"), "ArrowDown");
  expect(move).toHaveBeenLastCalledWith("1", { before: "3" });
  expect(move).toHaveBeenCalledTimes(2);
});

test("a video is a still in the gallery and plays in the lightbox, silent and with its controls", async () => {
  const video: Artifact = { digest: "d3", file: "fox-0001.mp4", media_type: "video/mp4", bytes: 9 } as Artifact;
  useRuns.setState({ runs: { "1": runOf("1", { files: [PICTURE, video] }) }, history: ["1"] });
  const gallery = await render(<GalleryPanel />);
  expect(document.querySelectorAll(".thumb img")).toHaveLength(1);
  const still = gallery.find<HTMLVideoElement>(".thumb video");
  expect(still.getAttribute("src")).toBe("/api/artifacts/d3");
  expect(still.controls).toBe(false);
  await gallery.click(gallery.find(".gallery li:nth-child(2) .thumb"));
  await clear();
  const { find } = await render(<Lightbox />);
  const playing = find<HTMLVideoElement>("video.viewer-picture");
  expect(playing.controls && playing.muted).toBe(true);
  expect(playing.getAttribute("src")).toBe("/api/artifacts/d3");
  expect(document.querySelector("img.viewer-picture")).toBeNull();
});

test("a sound is a note in the gallery and plays in the lightbox with its controls", async () => {
  const sound: Artifact = { digest: "d4", file: "fox-0001.flac", media_type: "audio/flac", bytes: 9 } as Artifact;
  useRuns.setState({ runs: { "1": runOf("1", { files: [sound] }) }, history: ["1"] });
  const gallery = await render(<GalleryPanel />);
  expect(gallery.find(".thumb .icon")).not.toBeNull();
  await gallery.click(gallery.find(".thumb"));
  await clear();
  const { find } = await render(<Lightbox />);
  const playing = find<HTMLAudioElement>("audio.viewer-picture");
  expect(playing.controls && !playing.muted).toBe(true);
  expect(playing.getAttribute("src")).toBe("/api/artifacts/d4");
});

test("the gallery shows pictures, and failed runs with their reason", async () => {
  const retry = vi.fn(async () => {});
  const error = { code: "x", at: "one.count", what: "It broke.", fix: "Mend it.", inputs: {} };
  const failed = runOf("2", { state: "failed", error });
  const other = runOf("3", { name: "wolf", files: [OTHER] });
  const all = { "1": runOf("1", { files: [PICTURE] }), "2": failed, "3": other };
  useRuns.setState({ runs: all, history: ["3", "2", "1"], retry });
  const { find, click } = await render(<GalleryPanel />);
  expect(document.querySelectorAll(".thumb")).toHaveLength(2);
  expect(text()).toContain("It broke.");
  await click(find(".run-failure button"));
  expect(retry).toHaveBeenCalledExactlyOnceWith("2");
  await click(find(".segment:nth-of-type(2)"));
  expect(document.querySelectorAll(".thumb")).toHaveLength(1);
  await click(find(".thumb"));
  expect(useUi.getState().lightbox).toEqual({ items: [PICTURE], index: 0 });
});

test("the lightbox walks with the arrow keys, compares with C, and closes", async () => {
  useUi.setState({ lightbox: { items: [PICTURE, OTHER], index: 0 } });
  const { find, press } = await render(<Lightbox />);
  expect(text()).toContain("64 × 32");
  await press(document.body, "ArrowRight");
  expect(useUi.getState().lightbox?.index).toBe(1);
  await press(document.body, "c");
  expect(useUi.getState().lightbox?.compare).toEqual(PICTURE);
  await press(find("input[type=range]"), "ArrowLeft");
  expect(useUi.getState().lightbox?.index).toBe(1);
  await act(async () => find("dialog").dispatchEvent(new Event("cancel", { cancelable: true })));
  expect(useUi.getState().lightbox).toBeNull();
});

test("the graph that made a picture is opened from the lightbox", async () => {
  vi.spyOn(api, "origin").mockResolvedValue({ run: "1", name: "fox", inputs: {}, graph: DOC });
  const openDocument = vi.fn(async () => {});
  useDocument.setState({ openDocument });
  useUi.setState({ lightbox: { items: [PICTURE], index: 0 } });
  const { press } = await render(<Lightbox />);
  await press(document.body, "o");
  await vi.waitFor(() => expect(useUi.getState().lightbox).toBeNull());
  expect(openDocument).toHaveBeenCalledExactlyOnceWith(DOC, "Fox");
});

const ENTRY: GraphEntry = {
  name: "fox",
  shipped: false,
  title: "Fox",
  description: "",
  etag: "e",
  modified: 1e9,
  problem: null,
};

test("graphs are found by their words; templates say what they do", async () => {
  const shipped = { ...ENTRY, name: "maps", title: "Maps", shipped: true, description: "Shows channels." };
  vi.spyOn(api, "graphs").mockResolvedValue([ENTRY, shipped]);
  const open = vi.fn(async () => true);
  useDocument.setState({ open });
  const { find, type, click } = await render(<GraphsPanel />);
  expect(text()).toContain("Shows channels.");
  await type(find("input[type=search]"), "map");
  expect(document.querySelectorAll(".graph-open")).toHaveLength(1);
  await click(find(".graph-open"));
  expect(open).toHaveBeenCalledExactlyOnceWith("maps");
});

test("a graph that was taken away can be brought back", async () => {
  vi.spyOn(api, "graphs").mockResolvedValue([ENTRY]);
  vi.spyOn(api, "graph").mockResolvedValueOnce({ document: DOC, etag: "e" }).mockResolvedValueOnce(null);
  const saveGraph = vi.spyOn(api, "saveGraph").mockResolvedValue({ document: DOC, etag: "f" });
  const deleteGraph = vi.fn(async () => {});
  useDocument.setState({ deleteGraph });
  const { find, click } = await render(<GraphsPanel />);
  await click(find("[aria-label^='Take Fox away']"));
  expect(deleteGraph).toHaveBeenCalledExactlyOnceWith("fox", "e");
  await click(find(".banner button"));
  expect(saveGraph).toHaveBeenCalledExactlyOnceWith("fox", DOC, { none: true });
});

test("going back to an earlier version is an edit", async () => {
  vi.spyOn(api, "graphs").mockResolvedValue([ENTRY]);
  vi.spyOn(api, "versions").mockResolvedValue(["20260131T120000.000000Z-0123abcd4567"]);
  vi.spyOn(api, "version").mockResolvedValue({ version: 1, nodes: {} });
  const edit = vi.fn((_label: string, change: (before: GraphDocument) => GraphDocument) => change(DOC) !== DOC);
  useDocument.setState({ edit });
  const { find, click } = await render(<GraphsPanel />);
  await click(find("[aria-label='Earlier versions of Fox']"));
  expect(find(".versions").textContent).toContain("Jan 31");
  await click(find(".versions button"));
  expect(edit).toHaveReturnedWith(true);
});

test("a problem says its place, its reason and how to mend it, and leads to its node", async () => {
  const problem = { code: "bad_value", at: "one.count", what: "Too few.", fix: "Take more." };
  usePlan.setState({ problems: [problem], ofNode: { one: [problem] } });
  const { find, click } = await render(<ProblemsPanel />);
  expect(find(".problem").textContent).toBe("one.countToo few.Take more.");
  await click(find(".problem"));
  expect([...useUi.getState().selection]).toEqual(["one"]);
});

test("the node panel changes values, offers the default, and renames", async () => {
  const before = useDocument.getState().document;
  let after = before;
  const edit = vi.fn((_label: string, change: (doc: GraphDocument) => GraphDocument) => {
    after = change(before);
    return true;
  });
  useDocument.setState({ edit });
  useUi.setState({ selection: new Set(["one"]) });
  const { find, click, type, leave } = await render(<NodePanel />);
  expect(text()).toContain("How many.");
  await click(find("[aria-label='Reset Count to the default']"));
  expect(after.nodes.one?.inputs?.count).toBeUndefined();
  await click(find("[aria-label='Show count in the form']"));
  expect(after.interface?.inputs).toEqual({ count: "one.count" });
  await type(find(".info-id input"), "first");
  await leave(find(".info-id input"));
  expect(Object.keys(after.nodes)).toEqual(["first", "two"]);
});

test("the node panel shows a failure with what the node was given", async () => {
  const error = { code: "x", at: "one", what: "It broke.", fix: "Mend it.", inputs: { count: "5" } };
  useRuns.setState({ nodes: { one: { state: "failed", messages: ["A word."], pictures: [], error } } });
  useUi.setState({ selection: new Set(["one"]) });
  const { find } = await render(<NodePanel />);
  expect(text()).toContain("A word.");
  expect(find(".given").textContent).toContain("count5");
});

test("a value that is not computed offers to run to there", async () => {
  vi.useFakeTimers();
  const found = { state: "not_computed", label: "int", facts: [], histogram: null, pictures: [] } as const;
  vi.spyOn(api, "inspect").mockResolvedValue({ ...found, facts: [], pictures: [] });
  const start = vi.fn(async () => {});
  useRuns.setState({ start });
  useUi.setState({ inspected: { node: "one", port: "total" } });
  const { find, click } = await render(<InspectPanel />);
  await act(async () => vi.advanceTimersByTimeAsync(500));
  vi.useRealTimers();
  await click(find(".run-button"));
  expect(start).toHaveBeenCalledExactlyOnceWith({ only: ["one"] });
});

test("a value is asked for again while the worker cannot say", async () => {
  vi.useFakeTimers();
  const busy = new ApiError(409, [{ code: "conflict", at: "", what: "The worker is starting.", fix: "" }]);
  const found = { state: "not_computed", label: "int", facts: [], histogram: null, pictures: [] } as const;
  const inspect = vi.spyOn(api, "inspect").mockRejectedValueOnce(busy);
  inspect.mockResolvedValue({ ...found, facts: [], pictures: [] });
  useUi.setState({ inspected: { node: "one", port: "total" } });
  const { find } = await render(<InspectPanel />);
  await act(async () => vi.advanceTimersByTimeAsync(500));
  expect(text()).toContain("The worker is starting.");
  await act(async () => vi.advanceTimersByTimeAsync(AGAIN));
  vi.useRealTimers();
  expect(find(".run-button")).not.toBeNull();
});

test("a conflict is answered, or put off", async () => {
  const resolve = vi.fn(async () => {});
  useDocument.setState({ save: { state: "conflict" }, theirs: DOC, resolve });
  const { find, click } = await render(<ConflictDialog />);
  await click(find(".choice-card"));
  expect(resolve).toHaveBeenCalledExactlyOnceWith("copy");
  expect(await findings()).toEqual([]);
  await click(find(".conflict > .quiet-button"));
  expect(document.querySelector("dialog")).toBeNull();
});

test("the palette finds a command by its letters and takes it with Enter", async () => {
  const run = vi.fn();
  const stop = registerCommands([
    { id: "t.undo", title: "command.undo", group: "edit", run: vi.fn() },
    { id: "t.run", title: "command.run", group: "run", keys: ["mod+enter"], run },
    { id: "t.save", title: "command.save", group: "file", enabled: () => false, run: vi.fn() },
  ]);
  useUi.setState({ commandsOpen: true });
  const { find, type, press } = await render(<CommandPalette />);
  expect([...document.querySelectorAll("[aria-disabled=true]")].map((entry) => entry.textContent)).toEqual([
    "Save nowFile",
  ]);
  await type(find("[role=combobox]"), "run");
  expect(find("[role=option]").textContent).toBe("RunRunCtrl+Enter");
  expect(await findings()).toEqual([]);
  await press(find("[role=combobox]"), "Enter");
  await vi.waitFor(() => expect(run).toHaveBeenCalledOnce());
  expect(useUi.getState().commandsOpen).toBe(false);
  stop();
});

test("notices are read out and can be put away", async () => {
  useUi.setState({ toasts: [{ id: 1, kind: "problem", text: "It broke." }] });
  const { find, click } = await render(<Toasts />);
  expect(find("[aria-live=assertive]").textContent).toBe("It broke.");
  await click(find("[aria-label=Dismiss]"));
  expect(useUi.getState().toasts).toEqual([]);
});

test.each([
  ["top bar", TopBar],
  ["queue", QueuePanel],
  ["gallery", GalleryPanel],
  ["graphs", GraphsPanel],
  ["inspect", InspectPanel],
  ["keys", KeysPanel],
  ["problems", ProblemsPanel],
  ["settings", SettingsPanel],
  ["node", NodePanel],
  ["lightbox", Lightbox],
])("axe finds nothing in the %s", async (_, Part) => {
  vi.spyOn(api, "graphs").mockResolvedValue([ENTRY, { ...ENTRY, name: "maps", shipped: true }]);
  const problem = { code: "bad_value", at: "one.count", what: "Too few.", fix: "Take more." };
  usePlan.setState({
    problems: [problem],
    ofNode: { one: [problem] },
    foresight: { one: { state: "runs", why: "new" } },
  });
  const queued = runOf("2", { state: "queued", finished: null });
  useRuns.setState({
    runs: { "1": runOf("1", { files: [PICTURE] }), "2": queued, "3": runOf("3", { state: "running", finished: null }) },
    history: ["3", "2", "1"],
    queue: { paused: true, running: "3", order: ["2"] },
  });
  useUi.setState({ selection: new Set(["one"]), lightbox: { items: [PICTURE, OTHER], index: 0, compare: OTHER } });
  await render(<Part />);
  expect(await findings()).toEqual([]);
});
