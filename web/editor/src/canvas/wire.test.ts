import { expect, test } from "vitest";
import { GRAPH, TYPES } from "./fixture";
import { portAt, sceneKeeper } from "./scene";
import { begin, dropped, linksFrom, linksInto, targetAt, whyNot } from "./wire";

const known = { types: TYPES, models: [] };
const boxes = sceneKeeper()(GRAPH, TYPES, {}, null).boxes;
const at = (node: string, port: string, side: "in" | "out") => portAt(boxes, { node, port }, side) ?? { x: 0, y: 0 };

test("a link begins at a port, and at a linked input takes the link along", () => {
  const fresh = begin(GRAPH, { node: "sample", port: "latent" }, "out");
  expect(fresh).toMatchObject({ side: "out", taken: null, base: GRAPH });
  const pulled = begin(GRAPH, { node: "sample", port: "latent" }, "in");
  expect(pulled).toMatchObject({ from: { node: "size", port: "latent" }, side: "out" });
  expect(linksInto(pulled.base, { node: "sample", port: "latent" })).toEqual([]);
  expect(linksInto(GRAPH, { node: "sample", port: "latent" })).toHaveLength(1);
});

test("the nearest port within reach is the target, with the reason where it does not fit", () => {
  const pending = begin(GRAPH, { node: "sample", port: "latent" }, "out");
  const fits = targetAt(pending, known, boxes, at("decode", "latent", "in"), 1);
  expect(fits).toEqual({ node: "decode", port: { node: "decode", port: "latent" }, refusal: null });
  const refused = targetAt(pending, known, boxes, at("decode", "vae", "in"), 1);
  expect(refused?.refusal).toMatchObject({ reason: "type", wanted: "VAE", given: "Latent" });
});

test("dropping on a node's body takes its first free port that fits", () => {
  const pending = begin(GRAPH, { node: "sample", port: "latent" }, "out");
  const body = { x: 800 + 120, y: 10 };
  expect(targetAt(pending, known, boxes, body, 1)).toMatchObject({ port: { node: "decode", port: "latent" } });
  const image = begin(GRAPH, { node: "decode", port: "image" }, "out");
  expect(targetAt(image, known, boxes, { x: 120, y: 310 }, 1)).toMatchObject({ node: "size", port: null });
});

test("empty space is no target, and nor is the node that the link hangs on", () => {
  const pending = begin(GRAPH, { node: "sample", port: "latent" }, "out");
  expect(targetAt(pending, known, boxes, { x: 2000, y: 2000 }, 1)).toBeNull();
  expect(targetAt(pending, known, boxes, { x: 400 + 120, y: 10 }, 1)).toBeNull();
});

test("a circle is refused", () => {
  const pending = begin(GRAPH, { node: "sample", port: "latent" }, "out");
  expect(whyNot(pending, known, { node: "sample", port: "latent" })?.reason).toBe("circle");
});

test("a link that was pulled off goes to its new port, and back to its own changes nothing", () => {
  const pulled = begin(GRAPH, { node: "decode", port: "vae" }, "in");
  expect(dropped(GRAPH, TYPES, pulled, { node: "decode", port: "vae" })).toBe(GRAPH);
  const moved = begin(GRAPH, { node: "sample", port: "latent" }, "in");
  const after = dropped(GRAPH, TYPES, moved, { node: "decode", port: "latent" });
  expect(linksFrom(after, { node: "size", port: "latent" }).map(({ to }) => to)).toEqual([
    { node: "decode", port: "latent" },
  ]);
});
