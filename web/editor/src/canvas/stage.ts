import type { Point, Rect } from "./rect";
import { fitted, revealing, toGraph, type View } from "./view";

/** The canvas on the screen: what commands and gestures need of it. */
export interface Stage {
  element: HTMLElement;
  view(): View;
  show(view: View, animate: boolean): void;
}

let current: Stage | null = null;

/** Let commands and gestures know the canvas that is shown; null when it goes. */
export function setStage(stage: Stage | null): void {
  current = stage;
}

/** The canvas that is shown. */
export function stageNow(): Stage | null {
  return current;
}

/** Whether people want things to move. */
export function motion(): boolean {
  return !matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** A point of the window as a point of the graph. */
export function graphPoint(point: Point): Point {
  if (current === null) return point;
  const corner = current.element.getBoundingClientRect();
  return toGraph(current.view(), { x: point.x - corner.left, y: point.y - corner.top });
}

/** A point of the graph as a point of the window. */
export function windowPoint(point: Point): Point {
  if (current === null) return point;
  const corner = current.element.getBoundingClientRect();
  const { x, y, zoom } = current.view();
  return { x: corner.left + x + point.x * zoom, y: corner.top + y + point.y * zoom };
}

/** The middle of what is seen, in the window. */
export function stageMiddle(): Point {
  const corner = current?.element.getBoundingClientRect();
  return corner === undefined
    ? { x: 0, y: 0 }
    : { x: corner.left + corner.width / 2, y: corner.top + corner.height / 2 };
}

/** The size of the canvas on the screen. */
export function stageSize(): { width: number; height: number } {
  return { width: current?.element.clientWidth ?? 1, height: current?.element.clientHeight ?? 1 };
}

/** Show a rectangle whole. */
export function showRect(rect: Rect | null, animate = true): void {
  if (rect !== null) current?.show(fitted(rect, stageSize()), animate);
}

/** Bring a rectangle into view, moving no further than needed, and near enough to be read. */
export function reveal(rect: Rect): void {
  if (current === null) return;
  const view = current.view();
  const next = view.zoom < 0.5 ? fitted(rect, stageSize()) : revealing(view, rect, stageSize());
  if (next.x !== view.x || next.y !== view.y || next.zoom !== view.zoom) current.show(next, true);
}
