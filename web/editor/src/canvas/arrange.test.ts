import { expect, test } from "vitest";
import { ALIGNMENTS, aligned, distributed } from "./arrange";

const boxes = new Map([
  ["a", { x: 0, y: 0, width: 100, height: 50 }],
  ["b", { x: 130, y: 40, width: 50, height: 90 }],
  ["c", { x: 300, y: 10, width: 100, height: 50 }],
]);

test("nodes come to the outermost edge or to the middle", () => {
  expect(aligned(boxes, "left")).toEqual({ a: [0, 0], b: [0, 40], c: [0, 10] });
  expect(aligned(boxes, "right").b).toEqual([350, 40]);
  expect(aligned(boxes, "top").b).toEqual([130, 0]);
  expect(aligned(boxes, "bottom").a).toEqual([0, 80]);
  expect(aligned(boxes, "center").a).toEqual([150, 0]);
  expect(aligned(boxes, "middle").b).toEqual([130, 20]);
});

test("aligning changes one coordinate only, and nothing when it is done again", () => {
  for (const alignment of ALIGNMENTS) {
    const once = aligned(boxes, alignment);
    const moved = new Map(
      [...boxes].map(([id, box]) => [id, { ...box, x: once[id]?.[0] ?? 0, y: once[id]?.[1] ?? 0 }]),
    );
    expect(aligned(moved, alignment)).toEqual(once);
  }
});

test("distributed nodes have equal gaps, and the outermost stay", () => {
  expect(distributed(boxes, "across")).toEqual({ a: [0, 0], b: [175, 40], c: [300, 10] });
});

test("two nodes have nothing to distribute", () => {
  expect(distributed(new Map([...boxes].slice(0, 2)), "down")).toEqual({});
});
