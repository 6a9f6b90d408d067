import { expect, test } from "vitest";
import type { TypeJson } from "./catalog";
import { table } from "./testTable";
import { ANYTHING, Bindings, fits, kindsClash, sameType, subtype, typeLabel, typeOfValue, union } from "./types";

const types = table.types.map(({ type }) => type);
const MARKS = { direct: "d", wrap: "w", map: "m" } as const;
const mark = (how: keyof typeof MARKS | null) => (how === null ? "-" : MARKS[how]);

test("every pair of types fits as in the engine", () => {
  const found = types.map((one) => types.map((other) => mark(fits(one, other, new Bindings()))).join(""));
  expect(found).toEqual(table.fits);
});

test("kinds clash as in the engine", () => {
  const found = types.map((one) => types.map((other) => (kindsClash(one, other) ? "x" : "-")).join(""));
  expect(found).toEqual(table.clashes);
});

test("types are called as in the engine", () => {
  expect(types.map(typeLabel)).toEqual(table.types.map(({ label }) => label));
});

test("links that follow each other bind variables as in the engine", () => {
  for (const chain of table.chains) {
    const bindings = new Bindings();
    for (const [left, right, how, ...labels] of chain) {
      const [one, other] = [at(left), at(right)];
      expect(mark(fits(one, other, bindings))).toBe(how);
      expect([one, other].map((type) => typeLabel(bindings.resolve(type)))).toEqual(labels);
    }
  }
});

function at(place: number): TypeJson {
  return types[place] ?? ANYTHING;
}

test("a type fits itself and is below every union with it", () => {
  for (const one of types) {
    expect(fits(one, one, new Bindings())).toBe("direct");
    expect(types.filter((other) => !subtype(one, union([one, other]), new Bindings()))).toEqual([]);
  }
});

test("unions are flat, without duplicates and the same however they are made", () => {
  for (const one of types) {
    expect(sameType(union([one, one]), one)).toBe(true);
    for (const other of types.slice(0, 12)) {
      const both = union([one, other]);
      expect(sameType(union([both, other]), both)).toBe(true);
      expect(both.is === "union" && both.members.some((member) => member.is === "union")).toBe(false);
    }
  }
});

test("what does not fit binds nothing", () => {
  for (const one of types) {
    for (const other of types) {
      const bindings = new Bindings();
      if (fits(one, other, bindings) === null && bindings.mark() > 0) expect([one, other]).toBe("free");
    }
  }
});

test("a value's type is the narrowest that it has", () => {
  const labels = [null, true, 1, 1.5, "a", [], [1, 1, "a"], [[1.5]], {}].map((value) => typeLabel(typeOfValue(value)));
  expect(labels).toEqual([
    "nothing",
    "True",
    "1",
    "float",
    "'a'",
    "list of anything",
    "list of 1 or 'a'",
    "list of list of float",
    "object",
  ]);
});

test("1, true and the text 1 are three values", () => {
  const choice = (value: number | boolean | string): TypeJson => ({ is: "choice", values: [value] });
  expect(sameType(choice(1), choice(true))).toBe(false);
  expect(fits(choice(1), choice("1"), new Bindings())).toBe(null);
  expect(fits(choice(true), { is: "scalar", name: "int" }, new Bindings())).toBe(null);
});
