import { expect, test } from "vitest";
import { nodeName, portName, problemsText, secondsText } from "./names";

test("a node says its type, its name and what it does", () => {
  expect(nodeName("sample", "Sample", undefined, undefined)).toBe("Sample, sample");
  const running = { state: "running" as const, done: 8, total: 20, messages: [], pictures: [] };
  expect(nodeName("sample", "Sample", undefined, running)).toBe("Sample, sample, running 40 %");
  expect(nodeName("neg", "EncodeText", "mute", undefined)).toBe("Encode text, neg, muted");
});

test("a port says its side, its type and what it is linked to", () => {
  const facts = { label: "Latent[sd1]", linked: "", required: false, problem: "" };
  expect(portName("latent", "in", { ...facts, linked: "empty.latent" })).toBe(
    "latent, input, Latent[sd1], linked to empty.latent",
  );
  expect(portName("text_encoder", "in", { ...facts, label: "", required: true })).toBe("text encoder, input, required");
  expect(portName("latent", "out", { ...facts, problem: "Broken." })).toBe("latent, output, Latent[sd1], Broken.");
});

test("seconds are as exact as they matter", () => {
  expect([0, 0.0412, 0.5, 9.96, 59.2, 59.7, 125].map(secondsText)).toEqual([
    "< 0.01 s",
    "0.04 s",
    "0.5 s",
    "10 s",
    "59 s",
    "1 min 0 s",
    "2 min 5 s",
  ]);
});

test("problems say what is wrong and how to mend it", () => {
  const one = { code: "a", at: "x", what: "No value.", fix: "Give one.", pointer: null };
  expect(problemsText([one, { ...one, fix: "" }])).toBe("No value.\nGive one.\n\nNo value.");
});
