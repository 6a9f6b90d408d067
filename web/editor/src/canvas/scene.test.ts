import { expect, test } from "vitest";
import { moveNodes, setInput } from "../graph/document";
import { GRAPH, TYPES } from "./fixture";
import type { NodeLook } from "./looks";
import { portAt, sceneKeeper, strayEnds } from "./scene";

test("what has not changed is the same object, so that nothing is drawn twice", () => {
  const keep = sceneKeeper();
  const before = keep(GRAPH, TYPES, {}, null);
  expect(keep(GRAPH, TYPES, {}, null)).toBe(before);
  const typed = keep(setInput(GRAPH, { node: "sample", port: "steps" }, 5), TYPES, {}, null);
  expect(typed.links).toBe(before.links);
  expect(typed.nodes.map((node, index) => node === before.nodes[index])).toEqual([true, true, true, true]);
  expect(typed.boxes.get("sample")?.box).toBe(before.boxes.get("sample")?.box);
});

test("a node that moves is the only one that is drawn anew, and what is in it is not", () => {
  const keep = sceneKeeper();
  const before = keep(GRAPH, TYPES, {}, null);
  const after = keep(moveNodes(GRAPH, { size: [10, 20] }), TYPES, {}, null);
  expect(after.nodes.filter((node, index) => node !== before.nodes[index]).map(({ id }) => id)).toEqual(["size"]);
  expect(after.boxes.get("size")?.box).toBe(before.boxes.get("size")?.box);
});

test("a node that is dragged is where it is held, not where the document has it", () => {
  const keep = sceneKeeper();
  const scene = keep(GRAPH, TYPES, {}, { nodes: { size: [70, 80] }, frames: {}, sizes: {} });
  expect(scene.boxes.get("size")).toMatchObject({ x: 70, y: 80 });
  expect(keep(GRAPH, TYPES, {}, null).boxes.get("size")).toMatchObject({ x: 0, y: 300 });
});

test("links end where the ports are", () => {
  const { boxes, links, nodes } = sceneKeeper()(GRAPH, TYPES, {}, null);
  expect(links.map(({ source, target }) => `${source}>${target}`)).toEqual([
    "load>sample",
    "size>sample",
    "load>decode",
  ]);
  const at = portAt(boxes, { node: "sample", port: "latent" }, "in");
  const handle = nodes[2]?.handles?.find(({ id, type }) => id === "latent" && type === "target");
  expect({ x: 400 + (handle?.x ?? 0) + 10, y: (handle?.y ?? 0) + 10 }).toEqual(at);
});

test("a picture makes its node higher", () => {
  const keep = sceneKeeper();
  const look: NodeLook = { pictures: [], preview: "blob:", stale: false, messages: [], error: null, ratio: 1 };
  const plain = keep(GRAPH, TYPES, {}, null).boxes.get("decode");
  const shown = keep(GRAPH, TYPES, { decode: look }, null).boxes.get("decode");
  expect((shown?.height ?? 0) - (plain?.height ?? 0)).toBe(plain?.width);
});

test("a link to a port that is not there still has two ends", () => {
  const odd = {
    ...GRAPH,
    nodes: { ...GRAPH.nodes, odd: { type: "Gone", inputs: { what: { link: "load.nothing" } } } },
  };
  const { nodes } = sceneKeeper()(odd, TYPES, {}, null);
  const ends = (id: string) => nodes.find((node) => node.id === id)?.handles?.map((end) => `${end.type} ${end.id}`);
  expect(ends("odd")).toContain("target what");
  expect(ends("load")).toContain("source nothing");
  expect(strayEnds("out nothing\nin in\n")).toEqual([
    ["out", "nothing"],
    ["in", "in"],
  ]);
});

test("nodes without a place do not lie on one another", () => {
  const { layout: _, ...bare } = GRAPH;
  const places = [...sceneKeeper()(bare, TYPES, {}, null).boxes.values()].map(({ x, y }) => `${x} ${y}`);
  expect(new Set(places).size).toBe(4);
});
