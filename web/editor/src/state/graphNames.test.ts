import { expect, test } from "vitest";
import { comesFrom, freeName, isGraphName, nameOf, nextName } from "./graphNames";

test("a title becomes a name that the server takes", () => {
  expect(nameOf("Fox, in the Snow!")).toBe("fox_in_the_snow");
  expect(nameOf("Épée 2")).toBe("epee_2");
  expect(nameOf("雪中的狐狸")).toBeNull();
  expect(nameOf("  ")).toBeNull();
  expect(isGraphName(nameOf("x".repeat(300)) ?? "")).toBe(true);
});

test("a taken name gets the next free number", () => {
  expect(freeName("fox", new Set())).toBe("fox");
  expect(freeName("fox", new Set(["fox", "fox_2"]))).toBe("fox_3");
  expect(nextName("fox_9")).toBe("fox_10");
});

test("a name comes from a wish when only a number is behind it", () => {
  expect(comesFrom("fox", "fox")).toBe(true);
  expect(comesFrom("fox_2", "fox")).toBe(true);
  expect(comesFrom("fox_red", "fox")).toBe(false);
  expect(comesFrom("foxes", "fox")).toBe(false);
});

test("a path is no name", () => {
  expect(["", "../x", "a/b", "a b", "x".repeat(101)].filter(isGraphName)).toEqual([]);
});
