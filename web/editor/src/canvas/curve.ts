import type { Point } from "./rect";

/** How far a link leaves its ports before it turns, at least. */
const LEAST_BEND = 24;
const MOST_BEND = 220;

/** The curve of a link, from an output (to the right) into an input (from the left), as an SVG path. */
export function curve(from: Point, to: Point): string {
  const bend = bendOf(from, to);
  return `M${from.x},${from.y} C${from.x + bend},${from.y} ${to.x - bend},${to.y} ${to.x},${to.y}`;
}

/** How far the curve's handles stand out: links that go back need more room to turn. */
export function bendOf(from: Point, to: Point): number {
  const across = to.x - from.x;
  const wish = across >= 0 ? across / 2 : Math.abs(across) / 3 + Math.abs(to.y - from.y) / 6;
  return Math.min(Math.max(wish, LEAST_BEND), MOST_BEND);
}

/** The middle of the curve, where its label stands. */
export function curveMiddle(from: Point, to: Point): Point {
  return { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
}
