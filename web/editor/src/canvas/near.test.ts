import { expect, test } from "vitest";
import { nearest, nearestTo } from "./near";
import type { Rect } from "./rect";

const box = (x: number, y: number, width = 240, height = 100): Rect => ({ x, y, width, height });

const boxes = new Map([
  ["load", box(0, 0)],
  ["prompt", box(320, 0)],
  ["negative", box(320, 140)],
  ["size", box(320, 280, 300)],
  ["sample", box(680, 0, 240, 300)],
]);

test("an arrow goes to the node that lies that way", () => {
  expect(nearest(boxes, "load", "right")).toBe("prompt");
  expect(nearest(boxes, "sample", "left")).toBe("negative");
  expect(nearest(boxes, "prompt", "down")).toBe("negative");
  expect(nearest(boxes, "size", "up")).toBe("negative");
});

test("what lies straight ahead wins over what is nearer but aside", () => {
  const scene = new Map([...boxes, ["far", box(1400, 0)], ["below", box(760, 900)]]);
  expect(nearest(scene, "sample", "right")).toBe("far");
});

test("a wider node below is not to the right", () => {
  expect(nearest(new Map([...boxes].filter(([id]) => id !== "sample")), "negative", "right")).toBeNull();
});

test("at the edge there is nothing further", () => {
  expect(nearest(boxes, "load", "left")).toBeNull();
  expect(nearest(boxes, "nobody", "left")).toBeNull();
});

test("the node nearest to a point is told by its middle", () => {
  expect(nearestTo(boxes, { x: 10, y: 10 })).toBe("load");
  expect(nearestTo(new Map(), { x: 0, y: 0 })).toBeNull();
});
