import { expect, test } from "vitest";
import { agoText, dayText, lengthText } from "./times";

const NOW = new Date(2026, 4, 20, 12, 0).getTime() / 1000;

test.each([
  [0.04, "0.04 s"],
  [2.345, "2.3 s"],
  [42.4, "42 s"],
  [185, "3 min 05 s"],
  [119.7, "2 min 00 s"],
])("%d seconds are %s", (seconds, text) => {
  expect(lengthText(seconds)).toBe(text);
});

test("a time is told by how long ago it was, and by its date after a week", () => {
  expect(agoText(NOW - 30, NOW)).toMatch(/30 sec/);
  expect(agoText(NOW - 7200, NOW)).toMatch(/2 hr/);
  expect(agoText(NOW - 30 * 86400, NOW)).toMatch(/2026/);
});

test("days are told apart at midnight", () => {
  expect(dayText(NOW - 3600, NOW)).toBe("today");
  expect(dayText(NOW - 13 * 3600, NOW)).toBe("yesterday");
  expect(dayText(NOW - 400 * 86400, NOW)).toMatch(/2025/);
});
