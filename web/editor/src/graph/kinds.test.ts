import { expect, test } from "vitest";
import { type Json, moveNodes, setInput, setNodeState } from "./document";
import { inferKinds } from "./kinds";
import { catalog, documentOf, documents, link, models } from "./testTable";

const doc = documentOf({
  load: { type: "Load", inputs: { model: "small" } },
  sample: { type: "Sample", inputs: { model: link("load.model") } },
  decode: { type: "Decode", inputs: { latent: link("sample.latent") } },
  number: { type: "Number", inputs: { value: 1 } },
});

test("a kind goes along the links, down from the model and up to what is not linked yet", () => {
  const kinds = inferKinds(doc, catalog, models);
  expect(kinds.label({ node: "decode", port: "latent" }, "in")).toBe("Latent[sd1]");
  expect(kinds.label({ node: "sample", port: "latent" }, "in")).toBe("Latent[sd1]");
  expect(kinds.label({ node: "sample", port: "latent" }, "out")).toBe("Latent[sd1]");
  expect(kinds.label({ node: "number", port: "number" }, "out")).toBe("");
  expect(kinds.label({ node: "gone", port: "x" }, "in")).toBe("");
});

test("without its model a graph has no kind", () => {
  expect(inferKinds(doc, catalog, []).label({ node: "decode", port: "latent" }, "in")).toBe("Latent");
  const broken = [{ name: "small", kind: null }];
  expect(inferKinds(doc, catalog, broken).label({ node: "decode", port: "latent" }, "in")).toBe("Latent");
});

test("to move a node or to dial a value changes no type, to choose a model does", () => {
  const kinds = inferKinds(doc, catalog, models);
  expect(inferKinds(moveNodes(doc, { load: [9, 9] }), catalog, models)).toBe(kinds);
  expect(inferKinds(setInput(doc, { node: "sample", port: "steps" }, 7), catalog, models)).toBe(kinds);
  const large = inferKinds(setInput(doc, { node: "load", port: "model" }, "large"), catalog, models);
  expect(large.label({ node: "decode", port: "latent" }, "in")).toBe("Latent[sdxl]");
  expect(kinds.label({ node: "decode", port: "latent" }, "in")).toBe("Latent[sd1]");
});

test("what is known of the document before never says something else than a fresh look", () => {
  const values: (Json | undefined)[] = [
    "small",
    "large",
    2,
    1.5,
    ["a"],
    [link("load_small.latent")],
    link("load_large.latent"),
    undefined,
  ];
  for (const one of documents.slice(0, 10)) {
    for (const [place, id] of Object.keys(one.nodes).entries()) {
      for (const port of catalog[one.nodes[id]?.type ?? ""]?.inputs ?? []) {
        inferKinds(one, catalog, models);
        const next = setInput(one, { node: id, port: port.name }, values[place % values.length]);
        const after = place % 3 ? next : setNodeState(next, [id], "bypass");
        expect(labels(after, models)).toEqual(labels({ ...after, nodes: { ...after.nodes } }, [...models]));
      }
    }
  }
});

function labels(one: typeof doc, known: typeof models): string[] {
  const kinds = inferKinds(one, catalog, known);
  return Object.entries(one.nodes).flatMap(([id, node]) => {
    const type = catalog[node.type];
    const inputs = type?.inputs.map((port) => kinds.label({ node: id, port: port.name }, "in")) ?? [];
    return [...inputs, ...(type?.outputs.map((port) => kinds.label({ node: id, port: port.name }, "out")) ?? [])];
  });
}
