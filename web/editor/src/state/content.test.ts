import { expect, test } from "vitest";
import type { GraphDocument } from "../graph/document";
import { contentOf, markOf, sameContent } from "./content";
import { documentOf } from "./fakeServer";

test("the order of keys and empty parts mean nothing", () => {
  const one: GraphDocument = {
    version: 1,
    name: "",
    nodes: { a: { type: "T", inputs: { x: 1, y: { link: "b.out" } } }, b: { type: "U", inputs: {} } },
    interface: { inputs: {}, outputs: { image: "a.image" } },
    layout: {},
  };
  const other: GraphDocument = {
    nodes: { b: { type: "U" }, a: { inputs: { y: { link: "b.out" }, x: 1 }, type: "T" } },
    version: 1,
    interface: { outputs: { image: "a.image" } },
  };
  expect(sameContent(one, other)).toBe(true);
  expect(markOf(one)).toBe(markOf(other));
});

test("values differ, also empty ones", () => {
  expect(sameContent(documentOf("a"), documentOf("b"))).toBe(false);
  const withValue = (value: never[] | Record<string, never> | null | ""): GraphDocument => ({
    version: 1,
    nodes: { a: { type: "T", inputs: { x: value } } },
  });
  const contents = [withValue([]), withValue({}), withValue(null), withValue(""), documentOf("")].map(contentOf);
  expect(new Set(contents).size).toBe(5);
});

test("marks of neighbours differ", () => {
  const marks = Array.from({ length: 2000 }, (_, index) => markOf(documentOf(String(index))));
  expect(new Set(marks).size).toBe(2000);
});
