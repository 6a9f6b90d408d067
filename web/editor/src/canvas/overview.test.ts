import { expect, test } from "vitest";
import { setNodeState } from "../graph/document";
import type { NodeRun } from "../state/runs";
import { GRAPH, TYPES } from "./fixture";
import { boxesIn, linesIn, paintOf } from "./overview";
import { sceneKeeper } from "./scene";

const scene = sceneKeeper()(GRAPH, TYPES, {}, null);
const calm = { doc: GRAPH, types: TYPES, runs: {}, problems: {}, selection: new Set<string>() };
const run = (state: NodeRun["state"]): NodeRun => ({ state, messages: [], pictures: [] });
const trouble = { code: "x", at: "sample.steps", what: "", fix: "", pointer: null };

test("a node is painted by what matters most", () => {
  expect(paintOf("sample", calm)).toEqual({ fill: "surface", border: "line", width: 1, alpha: 1 });
  expect(paintOf("sample", { ...calm, runs: { sample: run("running") } }).fill).toBe("accent");
  expect(paintOf("sample", { ...calm, runs: { sample: run("done") } }).border).toBe("ok");
  expect(paintOf("sample", { ...calm, runs: { sample: run("failed") } }).fill).toBe("danger");
  expect(paintOf("sample", { ...calm, problems: { sample: [trouble] } }).border).toBe("danger");
  const selected = { ...calm, selection: new Set(["sample"]), problems: { sample: [trouble] } };
  expect(paintOf("sample", selected)).toMatchObject({ fill: "danger", border: "accent", width: 2 });
});

test("a muted node is faint", () => {
  expect(paintOf("size", { ...calm, doc: setNodeState(GRAPH, ["size"], "mute") }).alpha).toBeLessThan(1);
});

test("only what can be seen is painted", () => {
  const everything = { x: -100, y: -100, width: 2000, height: 2000 };
  expect(linesIn({ ...calm, scene }, everything).map(({ tone }) => tone)).toEqual(["denoiser", "latent", "vae"]);
  expect(boxesIn(scene.boxes, everything)).toHaveLength(4);
  const corner = { x: 700, y: -50, width: 400, height: 100 };
  expect(boxesIn(scene.boxes, corner).map(([id]) => id)).toEqual(["decode"]);
  expect(linesIn({ ...calm, scene }, { x: 3000, y: 0, width: 10, height: 10 })).toEqual([]);
});
