import { expect, test } from "vitest";
import { ordered } from "./order";
import { documents, link } from "./testTable";

test("a document that is in order stays in order", () => {
  for (const doc of documents) expect(ordered(doc.nodes)).toEqual({ order: Object.keys(doc.nodes), circular: false });
});

test("what is linked from comes first, however far away, and a circle is said", () => {
  const node = (...paths: string[]) => ({ type: "T", inputs: { x: paths.map(link) } });
  expect(ordered({ c: node("b.x", "gone.x"), a: node(), b: node("a.x") }).order).toEqual(["a", "b", "c"]);
  const { order, circular } = ordered({ a: node("b.x"), b: node("a.x"), c: node("c.x") });
  expect(circular).toBe(true);
  expect(order.sort()).toEqual(["a", "b", "c"]);
  const chain = Object.fromEntries(Array.from({ length: 20000 }, (_, at) => [`n${at}`, node(`n${at + 1}.x`)]));
  expect(ordered(chain).order[0]).toBe("n19999");
});
