import type { Place } from "../state/api";

/** How the server is told that a queued run goes to a place in the order; null where it is there already. */
export function placeFor(order: readonly string[], id: string, to: number): Place | null {
  const from = order.indexOf(id);
  if (to === from || from < 0) return null;
  if (to <= 0) return { to: "first" };
  if (to >= order.length - 1) return { to: "last" };
  const before = order[to > from ? to + 1 : to];
  return before === undefined ? { to: "last" } : { before };
}
