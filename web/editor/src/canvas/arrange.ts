import { around, type Rect } from "./rect";

/** Lines that nodes can be brought to. */
export const ALIGNMENTS = ["left", "center", "right", "top", "middle", "bottom"] as const;
export type Alignment = (typeof ALIGNMENTS)[number];

/** Where nodes go. */
export type Spots = Record<string, [number, number]>;

/** The spots of nodes brought to a common line: the outermost edge, or the middle of them all. */
export function aligned(boxes: ReadonlyMap<string, Rect>, alignment: Alignment): Spots {
  const whole = around(boxes.values());
  if (whole === null) return {};
  const spots: Spots = {};
  for (const [id, box] of boxes) spots[id] = brought(box, whole, alignment);
  return spots;
}

function brought(box: Rect, whole: Rect, alignment: Alignment): [number, number] {
  switch (alignment) {
    case "left":
      return [whole.x, box.y];
    case "center":
      return [Math.round(whole.x + (whole.width - box.width) / 2), box.y];
    case "right":
      return [whole.x + whole.width - box.width, box.y];
    case "top":
      return [box.x, whole.y];
    case "middle":
      return [box.x, Math.round(whole.y + (whole.height - box.height) / 2)];
    case "bottom":
      return [box.x, whole.y + whole.height - box.height];
  }
}

/** The spots of nodes with equal gaps between them; the outermost two stay where they are. */
export function distributed(boxes: ReadonlyMap<string, Rect>, way: "across" | "down"): Spots {
  const level = way === "across";
  const start = (box: Rect) => (level ? box.x : box.y);
  const length = (box: Rect) => (level ? box.width : box.height);
  const row = [...boxes].sort(([, a], [, b]) => start(a) - start(b));
  const whole = around(boxes.values());
  if (whole === null || row.length < 3) return {};
  const free = length(whole) - row.reduce((sum, [, box]) => sum + length(box), 0);
  const spots: Spots = {};
  let next = start(whole);
  for (const [id, box] of row) {
    spots[id] = level ? [Math.round(next), box.y] : [box.x, Math.round(next)];
    next += length(box) + free / (row.length - 1);
  }
  return spots;
}
