import type { Point } from "./rect";
import { stageMiddle } from "./stage";

let pointer: Point | null = null;

/** Remember where the pointer is over the canvas; null when it leaves. */
export function rememberPointer(at: Point | null): void {
  pointer = at;
}

/** Whether somebody points at the canvas. */
export function isPointed(): boolean {
  return pointer !== null;
}

/** Where the pointer is, or the middle of the canvas where it is elsewhere. */
export function pointerOrMiddle(): Point {
  return pointer ?? stageMiddle();
}
