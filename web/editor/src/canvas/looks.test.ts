import { expect, test } from "vitest";
import type { Artifact } from "../state/api";
import type { NodeRun } from "../state/runs";
import { columnsOf, messageRows, nextLooks, ratioOf } from "./looks";

const picture = (digest: string, width = 128, height = 64): Artifact => ({
  digest,
  file: `${digest}.png`,
  media_type: "image/png",
  bytes: 1,
  width,
  height,
});
const run = (change: Partial<NodeRun>): NodeRun => ({ state: "done", messages: [], pictures: [], ...change });

test("progress changes no look", () => {
  const before = nextLooks({}, { sample: run({ state: "running", done: 1, total: 20 }) }, {});
  expect(nextLooks(before, { sample: run({ state: "running", done: 2, total: 20 }) }, {})).toBe(before);
});

test("a preview has the shape that it was seen to have, and goes with the run", () => {
  const running = { sample: run({ state: "running", preview: "blob:1" }) };
  expect(nextLooks({}, running, {}).sample?.ratio).toBe(1);
  expect(nextLooks({}, running, { sample: 0.5 }).sample?.ratio).toBe(0.5);
  expect(nextLooks({}, { sample: run({ preview: "blob:1" }) }, {}).sample).toMatchObject({
    preview: null,
    ratio: null,
  });
});

test("pictures of the run before are shown as such until there are new ones", () => {
  const pictures = [picture("a")];
  expect(nextLooks({}, { decode: run({ state: "waiting", pictures }) }, {}).decode?.stale).toBe(true);
  expect(nextLooks({}, { decode: run({ pictures }) }, {}).decode?.stale).toBe(false);
});

test("several pictures stand in rows and columns", () => {
  expect([1, 2, 4, 5, 9].map(columnsOf)).toEqual([1, 2, 2, 3, 3]);
  expect(ratioOf([picture("a")])).toBe(0.5);
  expect(ratioOf([picture("a"), picture("b")])).toBe(0.25);
  expect(ratioOf(["a", "b", "c"].map((digest) => picture(digest)))).toBe(0.5);
  expect(ratioOf([])).toBeNull();
});

test("only the last messages are shown, and an error takes two rows", () => {
  const messages = ["1", "2", "3", "4", "5"];
  const error = { code: "x", at: "a", what: "It broke.", fix: "", inputs: {} };
  const look = nextLooks({}, { a: run({ state: "failed", messages, error }) }, {}).a;
  expect(look?.messages).toEqual(["3", "4", "5"]);
  expect(look && messageRows(look)).toBe(5);
});
