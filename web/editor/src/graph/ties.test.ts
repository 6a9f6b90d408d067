import { expect, test } from "vitest";
import type { TypeJson } from "./catalog";
import { Ties } from "./ties";

const kind = (name: string): TypeJson => ({ is: "kind", name });
const variable = (name: string): TypeJson => ({ is: "variable", name, kind: true, within: [] });

test("two kinds clash as long as another link holds them together", () => {
  const ties = new Ties();
  ties.add("load", [[kind("sd1"), variable("a.K")]]);
  ties.add("a.x", [[variable("a.K"), variable("b.K")]]);
  const given = [kind("sdxl"), variable("b.K")];
  expect(ties.clash(given, "b.x")).toEqual([kind("sdxl"), kind("sd1")]);
  expect(ties.clash(given, "a.x")).toBe(null);
  ties.add("b.y", [[variable("a.K"), variable("b.K")]]);
  expect(ties.clash(given, "a.x")).not.toBe(null);
  expect(ties.clash([kind("sd1"), variable("b.K")], "")).toBe(null);
});
