import type { Frame, GraphDocument, Tint } from "./document";
import { EditError } from "./errors";
import { SIZES } from "./geometry";
import { freeName } from "./names";
import { nodeOf } from "./nodes";
import { entry, mapped, sameJson, withEntry, without, withPart } from "./records";

/** What may be changed of a frame; a tint of null takes it away. */
export interface FrameChange {
  title?: string;
  spot?: Frame["spot"];
  tint?: Tint | null;
}

/** A spot of finite numbers whose sizes are above 0. Throws `EditError` for any other. */
export function checkedSpot<T extends readonly number[]>(id: string, spot: T): T {
  const fine = spot.every(Number.isFinite) && spot.slice(2).every((size) => size > 0);
  if (!fine) throw new EditError("edit.badPlace", { id });
  return spot;
}

/** Of the rows in which nodes stand that the document gives no place. */
const COLUMNS = 5;
const COLUMN_WIDTH = 320;
const ROW_HEIGHT = 340;

/** Where a node's top left corner is: as the document says, or else in rows by the document's order. */
export function placeOf(doc: GraphDocument, id: string): [number, number] {
  const [x, y] = entry(doc.layout, id) ?? [];
  if (x !== undefined && y !== undefined) return [x, y];
  return placeInRows(Object.keys(doc.nodes).indexOf(id));
}

/** Where the node stands that is the `index`-th of a document which gives it no place. */
export function placeInRows(index: number): [number, number] {
  return [(index % COLUMNS) * COLUMN_WIDTH, Math.floor(index / COLUMNS) * ROW_HEIGHT];
}

/** Places nodes; their sizes stay. */
export function moveNodes(doc: GraphDocument, spots: Record<string, [number, number]>): GraphDocument {
  const next = new Map<string, number[]>();
  for (const [id, at] of Object.entries(spots)) {
    nodeOf(doc, id);
    checkedSpot(id, at);
    const before = entry(doc.layout, id);
    const spot = [...at, ...(before ?? []).slice(2)];
    if (!sameJson(before, spot)) next.set(id, spot);
  }
  if (next.size === 0) return doc;
  return { ...doc, layout: { ...doc.layout, ...Object.fromEntries(next) } };
}

/** Gives a node a size; without a height it is as high as what it holds. */
export function resizeNode(doc: GraphDocument, id: string, width: number, height?: number): GraphDocument {
  nodeOf(doc, id);
  const size = [Math.max(width, SIZES.minWidth), ...(height === undefined ? [] : [height])];
  const spot = checkedSpot(id, [...placeOf(doc, id), ...size]);
  return sameJson(entry(doc.layout, id), spot) ? doc : { ...doc, layout: withEntry(doc.layout, id, spot) };
}

/** A new frame behind the nodes. */
export function addFrame(doc: GraphDocument, frame: Frame): { doc: GraphDocument; id: string } {
  const id = freeName("frame", (name) => entry(doc.frames, name) !== undefined);
  checkedSpot(id, frame.spot);
  return { doc: { ...doc, frames: withEntry(doc.frames, id, frame) }, id };
}

/** A frame by id. Throws `EditError` where there is none. */
export function frameOf(doc: GraphDocument, id: string): Frame {
  const frame = entry(doc.frames, id);
  if (frame === undefined) throw new EditError("edit.unknownFrame", { frame: id });
  return frame;
}

/** Changes a frame's title, spot or tint; what lies in it stays where it is. */
export function editFrame(doc: GraphDocument, id: string, change: FrameChange): GraphDocument {
  const before = frameOf(doc, id);
  const { tint, ...rest } = change;
  const frame =
    tint === undefined ? { ...before, ...rest } : withPart({ ...before, ...rest }, "tint", tint ?? undefined);
  checkedSpot(id, frame.spot);
  return sameJson(before, frame) ? doc : { ...doc, frames: withEntry(doc.frames, id, frame) };
}

/** Takes a frame away; what lies in it stays. */
export function removeFrame(doc: GraphDocument, id: string): GraphDocument {
  frameOf(doc, id);
  return withPart(
    doc,
    "frames",
    without(doc.frames ?? {}, (name) => name === id),
  );
}

/** The nodes that lie in a frame: those with the middle of their header in it. */
export function nodesInFrame(doc: GraphDocument, id: string): string[] {
  const { spot } = frameOf(doc, id);
  return Object.entries(doc.layout ?? {}).flatMap(([node, [x = 0, y = 0, width = SIZES.width]]) =>
    Object.hasOwn(doc.nodes, node) && holds(spot, [x + width / 2, y + SIZES.header / 2, 0, 0]) ? [node] : [],
  );
}

/** The frames that lie wholly in a frame, itself left out. */
export function framesInFrame(doc: GraphDocument, id: string): string[] {
  const { spot } = frameOf(doc, id);
  return Object.entries(doc.frames ?? {}).flatMap(([name, frame]) =>
    name !== id && holds(spot, frame.spot) && !sameJson(spot, frame.spot) ? [name] : [],
  );
}

function holds(outer: Frame["spot"], inner: Frame["spot"]): boolean {
  const [left, top, width, height] = outer;
  const [x, y, wide, high] = inner;
  return x >= left && y >= top && x + wide <= left + width && y + high <= top + height;
}

/** Moves a frame's top left corner, and with it the nodes and frames that lie in it. */
export function moveFrame(doc: GraphDocument, id: string, to: [number, number]): GraphDocument {
  const { spot } = frameOf(doc, id);
  const [dx, dy] = [to[0] - spot[0], to[1] - spot[1]];
  if (dx === 0 && dy === 0) return doc;
  const inside = new Set([id, ...framesInFrame(doc, id)]);
  const moved = moveNodes(
    doc,
    Object.fromEntries(nodesInFrame(doc, id).map((node) => [node, shifted(placeOf(doc, node), dx, dy)])),
  );
  const frames = mapped(doc.frames ?? {}, (frame, name) =>
    inside.has(name) ? movedFrame(name, frame, dx, dy) : frame,
  );
  return { ...moved, frames };
}

/** A frame elsewhere, by itself. */
export function movedFrame(id: string, frame: Frame, dx: number, dy: number): Frame {
  const [x, y, width, height] = frame.spot;
  const spot: Frame["spot"] = [x + dx, y + dy, width, height];
  return { ...frame, spot: checkedSpot(id, spot) };
}

function shifted([x, y]: [number, number], dx: number, dy: number): [number, number] {
  return [x + dx, y + dy];
}
