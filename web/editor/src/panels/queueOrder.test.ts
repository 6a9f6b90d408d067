import { expect, test } from "vitest";
import { placeFor } from "./queueOrder";

const ORDER = ["1", "2", "3", "4"];

/** What the server makes of an answer. */
function after(order: string[], id: string, to: number): string[] {
  const place = placeFor(order, id, to);
  if (place === null) return order;
  const rest = order.filter((other) => other !== id);
  const at = "before" in place ? rest.indexOf(place.before) : place.to === "first" ? 0 : rest.length;
  return rest.toSpliced(at, 0, id);
}

test.each([
  ["1", 2, ["2", "3", "1", "4"]],
  ["4", 1, ["1", "4", "2", "3"]],
  ["3", 0, ["3", "1", "2", "4"]],
  ["2", 3, ["1", "3", "4", "2"]],
  ["2", 99, ["1", "3", "4", "2"]],
])("run %s at place %d gives %j", (id, to, order) => {
  expect(after(ORDER, id, to)).toEqual(order);
});

test("a run that is there already is not moved", () => {
  expect(placeFor(ORDER, "2", 1)).toBeNull();
  expect(placeFor(ORDER, "9", 1)).toBeNull();
});
