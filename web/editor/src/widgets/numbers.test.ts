import { expect, test } from "vitest";
import { dragged, formatNumber, type NumberShape, readNumber, share, snap } from "./numbers";

const STEPS: NumberShape = { integer: true, min: 1, max: 1000, step: 1, slider: false };
const SIZE: NumberShape = { integer: true, min: 8, max: 16384, step: 8, slider: false };
const PART: NumberShape = { integer: false, min: 0, max: 1, step: 0.01, slider: true };

test("a number is written without float noise", () => {
  expect(formatNumber(0.1 + 0.2)).toBe("0.3");
  expect(formatNumber(7.5)).toBe("7.5");
  expect(formatNumber(-3)).toBe("-3");
});

test.each([
  ["512", 512],
  [" 7.5 ", 7.5],
  [".5", 0.5],
  ["1e-3", 0.001],
  ["-4", -4],
  ["512 * 1.5", 768],
  ["2 + 3 * 4", 14],
  ["(2 + 3) * 4", 20],
  ["10 - 4 - 3", 3],
  ["--2", 2],
])("%j means %d", (text, value) => {
  expect(readNumber(text)).toBe(value);
});

test.each(["", "abc", "1,5", "5 5", "1 +", "(1", "1)", "1 / 0", "0x10", ".", "NaN", "1e999"])(
  "%j is no number",
  (text) => {
    expect(readNumber(text)).toBeNull();
  },
);

test("steps are multiples, wherever the range begins", () => {
  expect(snap(517, SIZE)).toBe(520);
  expect(snap(0.12345, PART)).toBe(0.12);
});

test("dragging over a slider goes through its whole range", () => {
  expect(dragged(0, 200, 200, PART, false)).toBe(1);
  expect(dragged(0.5, -50, 200, PART, false)).toBe(0.25);
});

test("dragging stays inside the range", () => {
  expect(dragged(20, -10_000, 200, STEPS, false)).toBe(1);
  expect(dragged(0.5, 10_000, 200, PART, false)).toBe(1);
});

test("shift makes dragging ten times finer", () => {
  expect(dragged(20, 40, 200, STEPS, false)).toBe(30);
  expect(dragged(20, 40, 200, STEPS, true)).toBe(21);
  expect(dragged(0.5, 20, 200, PART, true)).toBe(0.51);
});

test("the bar shows the share of the range, and none without a range", () => {
  expect(share(0.25, PART)).toBe(0.25);
  expect(share(5, { ...PART, max: null })).toBeNull();
});
