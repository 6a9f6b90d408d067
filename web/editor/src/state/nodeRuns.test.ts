import { expect, test } from "vitest";
import type { GraphDocument } from "../graph/document";
import type { Run } from "./api";
import type { ServerEvent } from "./events";
import { pictureOf, runOf } from "./fakeServer";
import { heard, type NodeRuns, shareDone, withPictures, withResults } from "./nodeRuns";

const event = (name: string, more: Partial<ServerEvent> = {}): ServerEvent => {
  return { sequence: 1, run: "7", event: name, ...more };
};

const play = (...events: ServerEvent[]): NodeRuns => events.reduce((nodes, item) => heard(nodes, item), {});

const STARTED = event("plan_started", { nodes: ["load", "sample", "decode"] });

const run = (more: Partial<Run>) => runOf("7", { state: "done", attempt: 1, ...more });

test("nodes wait, run with their progress, and end", () => {
  const nodes = play(
    STARTED,
    event("node_reused", { node: "load" }),
    event("node_started", { node: "sample" }),
    event("node_progress", { node: "sample", done: 5, total: 20 }),
  );
  expect(nodes.load?.state).toBe("reused");
  expect(nodes.sample).toMatchObject({ state: "running", done: 5, total: 20 });
  expect(nodes.decode?.state).toBe("waiting");
  expect(shareDone(nodes)).toBeCloseTo(1.25 / 3);
  const after = heard(nodes, event("node_finished", { node: "sample", seconds: 2.5 }));
  expect(after.sample).toMatchObject({ state: "done", seconds: 2.5 });
  expect(after.load).toBe(nodes.load);
});

test("a failed node has its error, what depends on it says so, and nothing waits after the end", () => {
  const error = { code: "node_failed", at: "sample", what: "It broke.", fix: "", inputs: {} };
  const nodes = play(
    STARTED,
    event("node_failed", { node: "sample", error }),
    event("node_skipped", { node: "decode", because: "sample" }),
    event("run_finished", { state: "failed" }),
  );
  expect(nodes.sample).toMatchObject({ state: "failed", error });
  expect(nodes.decode).toMatchObject({ state: "skipped", because: "sample" });
  expect(nodes.load?.state).toBe("skipped");
});

test("what ran when the run was cancelled is cancelled", () => {
  const nodes = play(STARTED, event("node_started", { node: "load" }), event("run_finished", { state: "cancelled" }));
  expect(Object.values(nodes).map(({ state }) => state)).toEqual(["cancelled", "cancelled", "cancelled"]);
});

test("another attempt begins with nothing", () => {
  expect(play(STARTED, event("node_started", { node: "load" }), event("run_started"))).toEqual({});
});

test("a node inside a node shows its progress outside, and its end is not the outer one's", () => {
  const nodes = play(
    event("plan_started", { nodes: ["up"] }),
    event("node_started", { node: "up" }),
    event("node_progress", { node: "up/sample", done: 1, total: 4 }),
    event("node_message", { node: "up/sample", text: "Hello" }),
    event("node_finished", { node: "up/sample", seconds: 1 }),
  );
  expect(Object.keys(nodes)).toEqual(["up"]);
  expect(nodes.up).toMatchObject({ state: "running", done: 1, messages: ["Hello"] });
});

test("events that say nothing of nodes change nothing", () => {
  const nodes = play(STARTED);
  expect(heard(nodes, event("run_moved"))).toBe(nodes);
  expect(heard(nodes, event("node_unheard_of", { node: "load" }))).toBe(nodes);
  expect(heard(nodes, event("node_preview", { node: "load" }))).toBe(nodes);
});

const DOC: GraphDocument = {
  version: 1,
  nodes: {
    decode: { type: "Decode" },
    save: { type: "SaveImage", inputs: { name: "fox" } },
    keep: { type: "SaveImage", inputs: { name: "owl" } },
  },
  interface: { outputs: { image: "decode.image", size: "decode.size" } },
};

test("a stored run puts its pictures at the nodes that made them", () => {
  const files = [pictureOf("image-0001.png"), pictureOf("fox-0001.png"), pictureOf("owl-0012.png")];
  const nodes = withResults({}, run({ files, outputs: { image: [{ ...files[0] }], size: 512 } as never }), DOC);
  expect(nodes.decode?.pictures.map(({ file }) => file)).toEqual(["image-0001.png"]);
  expect(nodes.save?.pictures.map(({ file }) => file)).toEqual(["fox-0001.png"]);
  expect(nodes.keep?.pictures.map(({ file }) => file)).toEqual(["owl-0012.png"]);
});

test("the only node that saves has every other file", () => {
  const doc = { ...DOC, nodes: { save: { type: "SaveImage", inputs: { name: { link: "a.b" } } } } };
  expect(withResults({}, run({ files: [pictureOf("x-0001.png")] }), doc).save?.pictures).toHaveLength(1);
});

test("a video is shown at the node that saved it, beside one that saves pictures", () => {
  const video = { type: "SaveVideo", inputs: { name: "walk" } };
  const doc = { ...DOC, nodes: { ...DOC.nodes, film: video } };
  const found = withResults({}, run({ files: [pictureOf("walk-0001.mp4"), pictureOf("fox-0001.png")] }), doc);
  expect(found.film?.pictures.map(({ file }) => file)).toEqual(["walk-0001.mp4"]);
  expect(found.save?.pictures.map(({ file }) => file)).toEqual(["fox-0001.png"]);
});

test("a stored failure is shown at its node, where the graph still has it", () => {
  const error = { code: "node_failed", at: "decode.image", what: "It broke.", fix: "", inputs: {} };
  expect(withResults({}, run({ state: "failed", error }), DOC).decode).toMatchObject({ state: "failed", error });
  expect(withResults({}, run({ state: "failed", error: { ...error, at: "gone" } }), DOC)).toEqual({});
});

test("a node that still runs when its run is known to be over has missed its end", () => {
  const nodes = play(STARTED, event("node_started", { node: "decode" }));
  expect(withResults(nodes, run({}), DOC).decode?.state).toBe("done");
});

test("pictures of the run before stay until there are new ones, at nodes of the new run", () => {
  const before = withResults({}, run({ outputs: { image: [pictureOf("a.png")] } as never }), DOC);
  expect(withPictures({}, before).decode).toMatchObject({ state: "waiting", pictures: [{ file: "a.png" }] });
  const begun = play(event("plan_started", { nodes: ["load"] }));
  expect(withPictures(begun, before)).toBe(begun);
});

test("the share of nothing is unknown", () => {
  expect(shareDone({})).toBeNull();
});
