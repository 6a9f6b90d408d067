import { expect, test } from "vitest";
import { EditError, exposeInput, exposeOutput, hideInput, hideOutput, renamePublic } from "./document";
import { formOf, outputsOf, publicName } from "./interface";
import { catalog, documentOf, link } from "./testTable";

const doc = documentOf({
  one: { type: "Sample", inputs: { steps: 3 } },
  two: { type: "Sample", inputs: { latent: link("one.latent") } },
  decode: { type: "Decode" },
});
const steps = { node: "one", port: "steps" };

test("a public port has its own name, or the first that is free", () => {
  const next = exposeInput(exposeInput(doc, steps), { node: "two", port: "steps" });
  expect(next.interface).toEqual({ inputs: { steps: "one.steps", steps_2: "two.steps" } });
  expect(publicName(next, "inputs", steps)).toBe("steps");
  expect(publicName(next, "outputs", steps)).toBe(null);
  expect(() => exposeInput(next, { node: "two", port: "latent" }, "steps")).toThrow(EditError);
  expect(() => exposeInput(next, { node: "two", port: "latent" }, " ")).toThrow(EditError);
  expect(() => exposeInput(next, { node: "gone", port: "x" })).toThrow(EditError);
});

test("to show and to hide again gives the same document", () => {
  expect(hideInput(exposeInput(doc, steps), steps)).toEqual(doc);
  const image = { node: "decode", port: "image" };
  expect(hideOutput(exposeOutput(doc, image), image)).toEqual(doc);
  expect(hideInput(doc, steps)).toBe(doc);
});

test("a renamed input keeps its place in the form", () => {
  const next = exposeInput(exposeInput(doc, steps), { node: "two", port: "latent" });
  const named = renamePublic(next, "inputs", "steps", "Schritte");
  expect(Object.keys(named.interface?.inputs ?? {})).toEqual(["Schritte", "latent"]);
  expect(renamePublic(named, "inputs", "Schritte", "steps")).toEqual(next);
  expect(() => renamePublic(next, "inputs", "steps", "latent")).toThrow(EditError);
  expect(() => renamePublic(next, "inputs", "gone", "x")).toThrow(EditError);
});

test("the form has what the interface names and the catalogue knows", () => {
  const inputs = { latent: "two.latent", steps: "one.steps", default: "two.steps", gone: "gone.x", none: "one.none" };
  const shown = { ...doc, interface: { inputs, outputs: { image: "decode.image", gone: "gone.x" } } };
  expect(formOf(shown, catalog).map(({ name, port, type, value }) => [name, port.node, type.name, value])).toEqual([
    ["latent", "two", "latent", link("one.latent")],
    ["steps", "one", "steps", 3],
    ["default", "two", "steps", 20],
  ]);
  expect(outputsOf(shown, catalog).map(({ name, type }) => [name, type.label])).toEqual([["image", "Image"]]);
  expect(formOf(doc, catalog)).toEqual([]);
});
