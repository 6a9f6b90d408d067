import { afterEach, expect, test } from "vitest";
import * as enCanvas from "./en/canvas";
import * as enForm from "./en/form";
import * as enGraph from "./en/graph";
import * as enPanels from "./en/panels";
import * as enState from "./en/state";
import * as enWidgets from "./en/widgets";
import { CHINESE, ENGLISH, fill, language, setLanguage, type TextKey, t } from "./text";

afterEach(() => setLanguage("en"));

const KEYS = Object.keys(ENGLISH) as TextKey[];

/** The parameters that a text names. */
const paramsOf = (text: string): string[] =>
  [...new Set([...text.matchAll(/\{(\w+)/g)].map(([, name]) => name ?? ""))].sort();

test("a key belongs to one area", () => {
  const areas = [enCanvas, enForm, enGraph, enPanels, enState, enWidgets].flatMap((area) => Object.values(area));
  expect(areas.flatMap((table) => Object.keys(table)).sort()).toEqual([...KEYS].sort());
});

test("every text is there in both languages, and Chinese names no parameter that English has not", () => {
  expect(Object.keys(CHINESE).sort()).toEqual([...KEYS].sort());
  const strange = KEYS.filter((key) => paramsOf(CHINESE[key]).some((name) => !paramsOf(ENGLISH[key]).includes(name)));
  expect(strange).toEqual([]);
  expect(KEYS.filter((key) => ENGLISH[key].trim() === "" || CHINESE[key].trim() === "")).toEqual([]);
});

test("parameters are filled in, also by number, and a missing one stays visible", () => {
  expect(fill("{count} {count:node|nodes} of {name}", { count: 1, name: "a" })).toBe("1 node of a");
  expect(fill("{count} {count:node|nodes}", { count: 2 })).toBe("2 nodes");
  expect(fill("{name}", {})).toBe("{name}");
  expect(fill("{name}", { name: "{count}" })).toBe("{count}");
});

test("the language can be changed", () => {
  expect(t("command.undo")).toBe("Undo");
  setLanguage("zh");
  expect(language()).toBe("zh");
  expect(t("command.undo")).toBe("撤销");
});
