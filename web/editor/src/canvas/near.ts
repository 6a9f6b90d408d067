import { middle, type Rect } from "./rect";

export type Direction = "left" | "right" | "up" | "down";

/** How much worse it is to lie aside than to lie far. */
const ASIDE = 2;

/**
 * The node nearest to another one in a direction, as an arrow key means it: it lies that way, rather ahead than aside.
 * Null where there is none.
 */
export function nearest(boxes: ReadonlyMap<string, Rect>, from: string, direction: Direction): string | null {
  const start = boxes.get(from);
  if (start === undefined) return null;
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const [id, box] of boxes) {
    const cost = id === from ? null : costOf(start, box, direction);
    if (cost !== null && cost < least) {
      best = id;
      least = cost;
    }
  }
  return best;
}

/** The node whose middle is nearest to a point; null for an empty canvas. */
export function nearestTo(boxes: ReadonlyMap<string, Rect>, point: { x: number; y: number }): string | null {
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const [id, box] of boxes) {
    const at = middle(box);
    const distance = Math.hypot(at.x - point.x, at.y - point.y);
    if (distance < least) {
      best = id;
      least = distance;
    }
  }
  return best;
}

function costOf(start: Rect, box: Rect, direction: Direction): number | null {
  const a = middle(start);
  const b = middle(box);
  const level = direction === "left" || direction === "right";
  const forward = direction === "right" || direction === "down" ? 1 : -1;
  const ahead = forward * (level ? b.x - a.x : b.y - a.y);
  const aside = level ? gap(start.y, start.height, box.y, box.height) : gap(start.x, start.width, box.x, box.width);
  // Its middle must lie past our edge: of two nodes above one another none is to the right, however wide it is.
  if (ahead <= (level ? start.width : start.height) / 2) return null;
  return ahead + ASIDE * aside + Math.abs(level ? b.y - a.y : b.x - a.x) / 2;
}

/** How far apart two stretches of a line are; 0 where they overlap. */
function gap(a: number, lengthA: number, b: number, lengthB: number): number {
  return Math.max(0, b - (a + lengthA), a - (b + lengthB));
}
