import { expect, test } from "vitest";
import {
  addFrame,
  EditError,
  editFrame,
  type GraphDocument,
  moveFrame,
  moveNodes,
  nodesInFrame,
  removeFrame,
  resizeNode,
} from "./document";
import { framesInFrame, placeOf } from "./layout";
import { documentOf } from "./testTable";

const doc: GraphDocument = {
  ...documentOf({ a: { type: "Text" }, b: { type: "Text" }, c: { type: "Text" } }),
  layout: { a: [20, 40], b: [300, 40, 200, 90], c: [900, 900] },
  frames: {
    outer: { title: "Outer", spot: [0, 0, 600, 300] },
    inner: { title: "Inner", spot: [10, 20, 270, 200] },
  },
};

test("moving a node keeps its size", () => {
  const next = moveNodes(doc, { b: [5, 6], c: [900, 900] });
  expect(next.layout).toEqual({ a: [20, 40], b: [5, 6, 200, 90], c: [900, 900] });
  expect(moveNodes(next, { b: [300, 40] })).toEqual(doc);
  expect(moveNodes(doc, { a: [20, 40] })).toBe(doc);
  expect(() => moveNodes(doc, { gone: [0, 0] })).toThrow(EditError);
  expect(() => moveNodes(doc, { a: [Number.NaN, 0] })).toThrow(EditError);
});

test("a node is no narrower than its ports need", () => {
  expect(resizeNode(doc, "a", 100).layout?.a).toEqual([20, 40, 160]);
  expect(resizeNode(doc, "a", 300, 200).layout?.a).toEqual([20, 40, 300, 200]);
  expect(resizeNode(doc, "b", 200, 90)).toBe(doc);
  expect(() => resizeNode(doc, "a", 300, 0)).toThrow(EditError);
});

test("a frame takes along what lies in it, and comes back with it", () => {
  expect(nodesInFrame(doc, "outer")).toEqual(["a", "b"]);
  expect(nodesInFrame(doc, "inner")).toEqual(["a"]);
  expect(framesInFrame(doc, "outer")).toEqual(["inner"]);
  const moved = moveFrame(doc, "outer", [100, -50]);
  expect(placeOf(moved, "a")).toEqual([120, -10]);
  expect(moved.layout?.b).toEqual([400, -10, 200, 90]);
  expect(moved.layout?.c).toEqual([900, 900]);
  expect(moved.frames?.inner?.spot).toEqual([110, -30, 270, 200]);
  expect(moveFrame(moved, "outer", [0, 0])).toEqual(doc);
  expect(moveFrame(doc, "outer", [0, 0])).toBe(doc);
});

test("a frame is added, changed and taken away by itself", () => {
  const { doc: next, id } = addFrame(doc, { title: "New", spot: [0, 0, 50, 50], tint: "blue" });
  expect(id).toBe("frame");
  expect(addFrame(next, { title: "", spot: [0, 0, 5, 5] }).id).toBe("frame_2");
  expect(editFrame(next, id, { title: "Old", tint: null }).frames?.frame).toEqual({
    title: "Old",
    spot: [0, 0, 50, 50],
  });
  expect(editFrame(next, id, { tint: "blue" })).toBe(next);
  expect(() => editFrame(next, id, { spot: [0, 0, 0, 50] })).toThrow(EditError);
  expect(removeFrame(next, id)).toEqual(doc);
  expect(() => removeFrame(doc, "gone")).toThrow(EditError);
});
