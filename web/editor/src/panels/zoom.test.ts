import { expect, test } from "vitest";
import { FIT, fitScale, zoomedAt } from "./zoom";

test("a large picture is made small enough, a small one at most four times as large", () => {
  expect(fitScale({ width: 2000, height: 1000 }, { width: 1000, height: 1000 })).toBe(0.5);
  expect(fitScale({ width: 64, height: 64 }, { width: 1000, height: 1000 })).toBe(4);
});

test("before anything is measured the picture keeps its size", () => {
  expect(fitScale({ width: 64, height: 64 }, { width: 0, height: 0 })).toBe(1);
});

test("what is under the pointer stays there while zooming", () => {
  const point = { x: 100, y: -40 };
  const zoom = zoomedAt(FIT, 0.5, 2, point);
  expect(zoom.scale).toBe(1);
  const before = { x: point.x / 0.5, y: point.y / 0.5 };
  expect((point.x - zoom.x) / 1).toBeCloseTo(before.x);
  expect((point.y - zoom.y) / 1).toBeCloseTo(before.y);
});

test("zooming ends before the picture is lost", () => {
  expect(zoomedAt(FIT, 1, 1e9, { x: 0, y: 0 }).scale).toBe(32);
  expect(zoomedAt(FIT, 1, 1e-9, { x: 0, y: 0 }).scale).toBe(0.05);
});
