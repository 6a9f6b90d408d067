import type { Point } from "./rect";

/** What a gesture does while the pointer is held down. Points are of the screen. */
export interface Gesture {
  /** The pointer has left the place where it went down. Called once, before the first `move`. */
  start?: (event: PointerEvent) => void;
  move: (at: Point, event: PointerEvent) => void;
  /** The pointer was let go. `moved` is false for a plain click. */
  end: (at: Point, event: PointerEvent, moved: boolean) => void;
  /** Escape was pressed, or the browser took the pointer away. */
  cancel?: () => void;
}

/** Pixels that a hand shakes while it clicks. */
const STILL = 4;

/**
 * Follow a pointer until it is let go. The whole window is listened to, so that a gesture goes on over panels and
 * outlives the element that it began on (a node that scrolls out of sight).
 */
export function follow(down: { clientX: number; clientY: number; pointerId: number }, gesture: Gesture): void {
  let moved = false;
  const stop = new AbortController();
  const mine = (event: PointerEvent) => event.pointerId === down.pointerId;
  const give = (event: PointerEvent) => ({ x: event.clientX, y: event.clientY });
  const listen = { signal: stop.signal, capture: true };
  window.addEventListener(
    "pointermove",
    (event) => {
      if (!mine(event)) return;
      if (!moved && Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) < STILL) return;
      if (!moved) gesture.start?.(event);
      moved = true;
      gesture.move(give(event), event);
    },
    listen,
  );
  window.addEventListener(
    "pointerup",
    (event) => {
      if (!mine(event)) return;
      stop.abort();
      gesture.end(give(event), event, moved);
    },
    listen,
  );
  const cancel = () => {
    stop.abort();
    gesture.cancel?.();
  };
  window.addEventListener("pointercancel", (event) => mine(event) && cancel(), listen);
  window.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      cancel();
    },
    listen,
  );
}
