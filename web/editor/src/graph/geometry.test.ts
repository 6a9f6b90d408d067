import { expect, test } from "vitest";
import type { NodeType } from "./catalog";
import { measure, portPoint, type Row, SIZES } from "./geometry";
import { linkedInputs } from "./links";
import { documents, typeNamed } from "./testTable";

const NONE: ReadonlySet<string> = new Set();
const sample = typeNamed("Sample");

test("a node has its link-only inputs beside its outputs, then a row for each value", () => {
  const box = measure({ type: "Sample" }, sample, undefined, { linked: NONE });
  const shown = box.rows.map((row) =>
    row.is === "ports" ? [row.input, row.output] : row.is === "value" ? row.input : row.is,
  );
  expect(shown).toEqual([["model", "latent"], ["latent", null], ["hint", null], "steps", "scheduler"]);
  expect(box.width).toBe(240);
  expect(box.height).toBe(32 + 3 * 24 + 2 * 28 + SIZES.padding);
  expect(box.ports.outputs).toEqual({ latent: { x: 240, y: 44 } });
  expect(box.ports.inputs.model).toEqual({ x: 0, y: 44 });
  expect(box.ports.inputs.steps).toEqual({ x: 0, y: 32 + 72 + 14 });
});

test("a linked value is its label alone", () => {
  const box = measure({ type: "Sample" }, sample, undefined, { linked: new Set(["steps"]) });
  expect(box.rows[3]).toMatchObject({ is: "value", input: "steps", height: 24, linked: true });
});

test("every input and output of the type has a port, and rows follow each other without gap", () => {
  for (const doc of documents) {
    for (const [id, node] of Object.entries(doc.nodes)) {
      const type = typeNamed(node.type);
      const box = measure(node, type, [0, 0, 300], { linked: linkedInputs(doc, id), pictureRatio: 0.5, messages: 2 });
      expect(Object.keys(box.ports.inputs).sort()).toEqual(type.inputs.map((port) => port.name).sort());
      expect(Object.keys(box.ports.outputs)).toEqual(type.outputs.map((port) => port.name));
      expect(box.rows.map((row) => row.y)).toEqual(tops(box.rows));
      for (const { x, y } of Object.values(box.ports.inputs)) expect(x === 0 && y > 32 && y < box.height).toBe(true);
    }
  }
});

function tops(rows: readonly Row[]): number[] {
  let y: number = SIZES.header;
  return rows.map((row) => {
    y += row.height;
    return y - row.height;
  });
}

const long: NodeType = {
  ...sample,
  id: "Long",
  outputs: [],
  inputs: [
    {
      ...typeNamed("Text").inputs[0],
      name: "text",
      schema: { type: "string", format: "multiline" },
    } as NodeType["inputs"][number],
  ],
};

test("a long text is three lines high, its port at the first", () => {
  const box = measure({ type: "Long" }, long, undefined, { linked: NONE });
  expect(box.rows).toEqual([{ is: "value", y: 32, height: 84, input: "text", linked: false, multiline: true }]);
  expect(box.ports.inputs.text).toEqual({ x: 0, y: 46 });
});

test("a node's own height goes to its picture, or else to its long texts, and never takes from them", () => {
  const look = { linked: NONE };
  expect(measure({ type: "Long" }, long, [0, 0, 240, 300], look).rows[0]?.height).toBe(84 + 300 - 122);
  const both = measure({ type: "Long" }, long, [0, 0, 200, 500], { ...look, pictureRatio: 0.75 });
  expect(both.rows.map((row) => row.height)).toEqual([84, 150 + 500 - 272]);
  expect(measure({ type: "Long" }, long, [0, 0, 240, 10], look).height).toBe(122);
  expect(measure({ type: "Sample" }, sample, [0, 0, 50], look).width).toBe(160);
});

test("notes and reroutes have shapes of their own", () => {
  expect(measure({ type: "Note" }, undefined, undefined, { linked: NONE })).toMatchObject({ width: 240, height: 120 });
  expect(measure({ type: "Note" }, undefined, [0, 0, 200, 300], { linked: NONE })).toMatchObject({
    width: 200,
    height: 300,
  });
  const box = measure({ type: "Reroute" }, typeNamed("Turn"), [0, 0, 500], { linked: NONE });
  expect(box.ports).toEqual({ inputs: { value: { x: 0, y: 10 } }, outputs: { value: { x: 32, y: 10 } } });
});

test("a node of an unknown type shows the inputs that it is given, and links to other ports meet its header", () => {
  const box = measure({ type: "Strange", inputs: { a: 1 } }, undefined, undefined, { linked: NONE });
  expect(portPoint(box, "in", "a")).toEqual({ x: 0, y: 44 });
  expect(portPoint(box, "out", "constructor")).toEqual({ x: 240, y: 16 });
  expect(portPoint(box, "in", "b")).toEqual({ x: 0, y: 16 });
});
