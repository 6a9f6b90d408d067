import { expect, test } from "vitest";
import { overlaps } from "./rect";
import { centred, distanceAt, fitted, isNotch, MAX_ZOOM, revealing, seen, toGraph, toScreen, zoomed } from "./view";

const size = { width: 1000, height: 600 };

test("a point goes to the screen and back", () => {
  const view = { x: 40, y: -12, zoom: 0.5 };
  expect(toGraph(view, toScreen(view, { x: 7, y: 9 }))).toEqual({ x: 7, y: 9 });
});

test("zooming leaves what is under the pointer where it is", () => {
  const view = { x: 10, y: 20, zoom: 1 };
  const under = toGraph(view, { x: 300, y: 200 });
  const next = zoomed(view, { x: 300, y: 200 }, 1.5);
  expect(next.zoom).toBe(1.5);
  expect(toScreen(next, under)).toEqual({ x: 300, y: 200 });
  expect(zoomed(view, { x: 0, y: 0 }, 1000).zoom).toBe(MAX_ZOOM);
});

test("a fitted rectangle is seen whole and never enlarged", () => {
  const small = fitted({ x: 50, y: 50, width: 10, height: 10 }, size);
  expect(small.zoom).toBe(1);
  const rect = { x: -500, y: 0, width: 4000, height: 900 };
  const part = seen(fitted(rect, size), size);
  expect(part.x).toBeLessThan(rect.x);
  expect(part.x + part.width).toBeGreaterThan(rect.x + rect.width);
});

test("revealing moves no further than needed", () => {
  const view = centred({ x: 0, y: 0 }, size, 1);
  expect(revealing(view, { x: 0, y: 0, width: 50, height: 50 }, size)).toEqual(view);
  const far = { x: 900, y: 0, width: 100, height: 50 };
  const moved = revealing(view, far, size);
  expect(overlaps(seen(moved, size), far)).toBe(true);
  expect(moved.y).toBe(view.y);
  expect(toScreen(moved, { x: 1000, y: 0 }).x).toBe(968);
});

test("widgets go before the nodes do", () => {
  expect([0.1, 0.3, 0.54, 0.55, 2].map(distanceAt)).toEqual(["overview", "far", "far", "near", "near"]);
});

test("a wheel with notches zooms, a trackpad pans", () => {
  expect(isNotch({ deltaX: 0, deltaY: 120, deltaMode: 0 })).toBe(true);
  expect(isNotch({ deltaX: 0, deltaY: 3, deltaMode: 1 })).toBe(true);
  expect(isNotch({ deltaX: 0, deltaY: 4, deltaMode: 0 })).toBe(false);
  expect(isNotch({ deltaX: 0, deltaY: 133.3, deltaMode: 0 })).toBe(false);
  expect(isNotch({ deltaX: 100, deltaY: 0, deltaMode: 0 })).toBe(false);
});
