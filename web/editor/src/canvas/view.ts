import { middle, type Point, type Rect } from "./rect";

/** Where the canvas is looked at: a point of the graph is drawn at `point * zoom + (x, y)`. */
export interface View extends Point {
  zoom: number;
}

export const MIN_ZOOM = 0.05;
export const MAX_ZOOM = 2.5;

/** Below this, text cannot be read: one picture of the whole graph is drawn instead of its nodes. */
export const OVERVIEW_ZOOM = 0.3;

/** Below this, widgets are too small to be used and are drawn as text. */
const WIDGET_ZOOM = 0.55;

/** How closely the canvas is looked at. */
export type Distance = "near" | "far" | "overview";

/** What is drawn at a zoom. */
export function distanceAt(zoom: number): Distance {
  if (zoom < OVERVIEW_ZOOM) return "overview";
  return zoom < WIDGET_ZOOM ? "far" : "near";
}

/** A point of the screen, from the canvas' corner, as a point of the graph. */
export function toGraph(view: View, point: Point): Point {
  return { x: (point.x - view.x) / view.zoom, y: (point.y - view.y) / view.zoom };
}

/** A point of the graph as a point of the screen, from the canvas' corner. */
export function toScreen(view: View, point: Point): Point {
  return { x: point.x * view.zoom + view.x, y: point.y * view.zoom + view.y };
}

/** The part of the graph that is seen. */
export function seen(view: View, size: { width: number; height: number }): Rect {
  return { ...toGraph(view, { x: 0, y: 0 }), width: size.width / view.zoom, height: size.height / view.zoom };
}

/** The view in which a rectangle is seen whole, with a margin in screen pixels, and not larger than `largest`. */
export function fitted(rect: Rect, size: { width: number; height: number }, margin = 48, largest = 1): View {
  const room = { width: Math.max(size.width - 2 * margin, 1), height: Math.max(size.height - 2 * margin, 1) };
  const zoom = limit(Math.min(room.width / rect.width, room.height / rect.height, largest));
  return centred(middle(rect), size, zoom);
}

/** The view with a point of the graph in its middle. */
export function centred(point: Point, size: { width: number; height: number }, zoom: number): View {
  return { x: size.width / 2 - point.x * zoom, y: size.height / 2 - point.y * zoom, zoom };
}

/** The view after zooming by a factor, with the graph under a point of the screen standing still. */
export function zoomed(view: View, point: Point, factor: number): View {
  const zoom = limit(view.zoom * factor);
  const scale = zoom / view.zoom;
  return { x: point.x - (point.x - view.x) * scale, y: point.y - (point.y - view.y) * scale, zoom };
}

/** The nearest view in which a rectangle is seen, the same one where it is; one that is too large is centred. */
export function revealing(view: View, rect: Rect, size: { width: number; height: number }, margin = 32): View {
  const corner = toScreen(view, rect);
  return {
    x: view.x + nudge(corner.x, rect.width * view.zoom, size.width, margin),
    y: view.y + nudge(corner.y, rect.height * view.zoom, size.height, margin),
    zoom: view.zoom,
  };
}

function nudge(start: number, length: number, room: number, margin: number): number {
  if (length > room - 2 * margin) return (room - length) / 2 - start;
  if (start < margin) return margin - start;
  return Math.min(room - margin - (start + length), 0);
}

function limit(zoom: number): number {
  return Math.min(Math.max(zoom, MIN_ZOOM), MAX_ZOOM);
}

/** Whether a turn of a wheel comes from a mouse with notches, which zooms; a trackpad's small steps pan. */
export function isNotch(turn: { deltaX: number; deltaY: number; deltaMode: number }): boolean {
  if (turn.deltaX !== 0) return false;
  return turn.deltaMode !== 0 || (Number.isInteger(turn.deltaY) && Math.abs(turn.deltaY) >= 100);
}
