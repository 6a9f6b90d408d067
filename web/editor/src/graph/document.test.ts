import { expect, test } from "vitest";
import type { GraphDocument as ApiDocument, NodeType as ApiNodeType } from "../api.gen";
import {
  addFrame,
  addNode,
  connect,
  disconnect,
  EditError,
  emptyDocument,
  exposeInput,
  freeId,
  type GraphDocument,
  type NodeType,
  removeAndHeal,
  removeNodes,
  renameNode,
  setInput,
  setName,
  setNodeState,
  setSeedMode,
} from "./document";
import { linksOf } from "./links";
import { readPort } from "./names";
import { catalog, documentOf, documents, link, typeNamed } from "./testTable";

const picture = documentOf({
  load: { type: "Load", inputs: { model: "small" } },
  sample: { type: "Sample", inputs: { model: link("load.model"), latent: link("load.latent"), steps: 3 } },
  decode: { type: "Decode", inputs: { latent: link("sample.latent") } },
  sheet: { type: "Sheet", inputs: { images: [link("decode.image"), link("decode.image")] } },
});

/** A document with everything that can name a node. */
const full: GraphDocument = {
  ...picture,
  name: "Fox",
  interface: { inputs: { steps: "sample.steps", model: "load.model" }, outputs: { image: "decode.image" } },
  seeds: { "sample.steps": "random" },
  layout: { load: [0, 0], sample: [300, 0, 260], decode: [600, 0], sheet: [900, 0] },
};

test("a new node gets an id after its type, and the next one a number", () => {
  const one = addNode(emptyDocument("x"), typeNamed("Sample"), [10, 20], { steps: 5 });
  const two = addNode(one.doc, typeNamed("Sample"), [0, 0]);
  expect([one.id, two.id]).toEqual(["sample", "sample_2"]);
  expect(one.doc).toEqual({
    version: 1,
    name: "x",
    nodes: { sample: { type: "Sample", inputs: { steps: 5 } } },
    layout: { sample: [10, 20] },
  });
  expect(freeId(two.doc, "sample_2")).toBe("sample_3");
  expect(freeId(two.doc, "a fox!")).toBe("a_fox");
  expect(freeId(two.doc, "…")).toBe("node");
});

test("to add a node and to remove it again gives the same document", () => {
  for (const doc of [...documents, full]) {
    for (const type of Object.values(catalog)) {
      const { doc: next, id } = addNode(doc, type, [1, 2]);
      expect(removeNodes(next, [id])).toEqual(doc);
    }
  }
});

test("no edit changes the document that it is given", () => {
  const frozen = deepFrozen(structuredClone(full));
  const id = "sample";
  const port = { node: id, port: "steps" };
  expect(() => {
    removeNodes(frozen, [id]);
    removeAndHeal(frozen, catalog, [id]);
    renameNode(frozen, id, "other");
    setInput(frozen, port, 7);
    setNodeState(frozen, [id], "mute");
    setSeedMode(frozen, port, null);
    addFrame(frozen, { title: "", spot: [0, 0, 10, 10] });
  }).not.toThrow();
  expect(frozen).toEqual(full);
});

function deepFrozen<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) deepFrozen(part);
  return Object.freeze(value);
}

test("a removed node is named nowhere any more, whatever it was", () => {
  for (const doc of [...documents, full]) {
    for (const id of Object.keys(doc.nodes)) {
      const next = removeNodes(doc, [id]);
      expect(next.nodes[id]).toBeUndefined();
      expect(linksOf(next).filter(({ from }) => from.node === id)).toEqual([]);
    }
  }
  const next = removeNodes(full, ["sample", "load"]);
  expect(next.interface).toEqual({ outputs: { image: "decode.image" } });
  expect(next.seeds).toBeUndefined();
  expect(Object.keys(next.layout ?? {})).toEqual(["decode", "sheet"]);
  expect(next.nodes.decode).toEqual({ type: "Decode" });
  expect(next.nodes.sheet).toBe(full.nodes.sheet);
});

test("removing all nodes but the links' items leaves the other items of a list", () => {
  const doc = documentOf({
    a: { type: "Photograph" },
    b: { type: "Photograph" },
    s: { type: "Sheet", inputs: { images: [link("a.photo"), link("b.photo")], labels: ["x"] } },
  });
  expect(removeNodes(doc, ["a"]).nodes.s?.inputs).toEqual({ images: [link("b.photo")], labels: ["x"] });
});

test("links go on past a removed node where its input fits", () => {
  const healed = removeAndHeal(picture, catalog, ["sample"]);
  expect(healed.nodes.decode?.inputs).toEqual({ latent: link("load.latent") });
  const cut = removeAndHeal(picture, catalog, ["decode"]);
  expect(cut.nodes.sheet).toEqual({ type: "Sheet" });
  const doc = documentOf({
    photo: { type: "Photograph" },
    one: { type: "Turn", inputs: { value: link("photo.photo") } },
    two: { type: "Turn", inputs: { value: link("one.value") } },
    sheet: { type: "Sheet", inputs: { images: [link("photo.photo"), link("two.value")] } },
  });
  const turned = removeAndHeal(doc, catalog, ["one", "two"]);
  expect(turned.nodes.sheet?.inputs?.images).toEqual([link("photo.photo"), link("photo.photo")]);
});

test("healing leaves no link to what is gone and makes no circle", () => {
  for (const doc of documents) {
    for (const id of Object.keys(doc.nodes)) {
      const next = removeAndHeal(doc, catalog, [id]);
      expect(linksOf(next).filter(({ from }) => next.nodes[from.node] === undefined)).toEqual([]);
    }
  }
});

test("to rename a node and to name it back gives the same document in the same order", () => {
  for (const doc of [...documents, full]) {
    for (const id of Object.keys(doc.nodes)) {
      const there = renameNode(doc, id, "something_else");
      expect(there.nodes[id]).toBeUndefined();
      expect(linksOf(there)).toHaveLength(linksOf(doc).length);
      expect(JSON.stringify(renameNode(there, "something_else", id))).toBe(JSON.stringify(doc));
    }
  }
  const next = renameNode(full, "sample", "denoise");
  expect(next.interface?.inputs?.steps).toBe("denoise.steps");
  expect(next.seeds).toEqual({ "denoise.steps": "random" });
  expect(next.layout?.denoise).toEqual([300, 0, 260]);
});

test("a node's name is refused where it is taken or cannot be written in a link", () => {
  expect(() => renameNode(full, "sample", "load")).toThrow(expect.objectContaining({ key: "edit.takenId" }));
  for (const name of ["", "a.b", "a b", "x".repeat(101)]) {
    expect(() => renameNode(full, "sample", name)).toThrow(expect.objectContaining({ key: "edit.badId" }));
  }
  expect(renameNode(full, "sample", "狐狸-2").nodes["狐狸-2"]).toBe(full.nodes.sample);
  expect(renameNode(full, "sample", "sample")).toBe(full);
});

test("what changes nothing gives the same object", () => {
  const steps = { node: "sample", port: "steps" };
  expect(setInput(full, steps, 3)).toBe(full);
  expect(setInput(full, { node: "sample", port: "latent" }, link("load.latent"))).toBe(full);
  expect(setInput(full, { node: "sample", port: "hint" }, undefined)).toBe(full);
  expect(setNodeState(full, ["sample"], null)).toBe(full);
  expect(setSeedMode(full, steps, "random")).toBe(full);
  expect(setName(full, " Fox ")).toBe(full);
  expect(removeNodes(full, [])).toBe(full);
  expect(exposeInput(full, steps)).toBe(full);
});

test("an input goes back to its default, and an input that is linked draws no seed", () => {
  const steps = { node: "sample", port: "steps" };
  expect(setInput(full, steps, undefined).nodes.sample?.inputs).not.toHaveProperty("steps");
  expect(setInput(full, steps, 9).seeds).toEqual({ "sample.steps": "random" });
  expect(setInput(full, steps, link("load.model")).seeds).toBeUndefined();
  expect(() => setInput(full, steps, Number.POSITIVE_INFINITY)).toThrow(EditError);
  expect(() => setInput(full, { node: "gone", port: "x" }, 1)).toThrow(EditError);
});

test("a list takes one link more, anything else the new one instead", () => {
  const image = { node: "decode", port: "image" };
  const images = { node: "sheet", port: "images" };
  const empty = removeNodes(picture, ["sheet"]);
  const start = addNode(empty, typeNamed("Sheet"), [0, 0]).doc;
  const one = connect(start, catalog, image, images);
  expect(one.nodes.sheet?.inputs?.images).toEqual(link("decode.image"));
  const two = connect(one, catalog, image, images);
  expect(two.nodes.sheet?.inputs?.images).toEqual([link("decode.image"), link("decode.image")]);
  const last = linksOf(two).findLast(({ to }) => to.node === "sheet");
  expect(last && disconnect(two, last, catalog)).toEqual(one);
  expect(last && disconnect(two, last).nodes.sheet?.inputs?.images).toEqual([link("decode.image")]);
  const latent = { node: "decode", port: "latent" };
  expect(connect(two, catalog, readPort("load.latent"), latent).nodes.decode?.inputs?.latent).toEqual(
    link("load.latent"),
  );
});

test("a list that is linked as a whole is replaced, and replaces", () => {
  const doc = documentOf({
    photo: { type: "Photograph" },
    cut: { type: "Cut", inputs: { image: link("photo.photo") } },
    sheet: { type: "Sheet", inputs: { images: link("photo.photo") } },
  });
  const images = { node: "sheet", port: "images" };
  const whole = connect(doc, catalog, readPort("cut.images"), images);
  expect(whole.nodes.sheet?.inputs?.images).toEqual(link("cut.images"));
  expect(connect(whole, catalog, readPort("photo.photo"), images).nodes.sheet?.inputs?.images).toEqual(
    link("photo.photo"),
  );
});

test("ids that JavaScript's objects have of their own are ids as any other", () => {
  const doc = documentOf({ photo: { type: "Photograph" } });
  for (const id of ["constructor", "__proto__", "toString"]) {
    expect(() => setInput(doc, { node: id, port: "x" }, 1)).toThrow(EditError);
    const next = renameNode(doc, "photo", id);
    expect(Object.keys(next.nodes)).toEqual([id]);
    expect(Object.keys(setInput(next, { node: id, port: "__proto__" }, 1).nodes[id]?.inputs ?? {})).toEqual([
      "__proto__",
    ]);
    expect(removeNodes(next, [id]).nodes).toEqual({});
  }
});

test("the editor's words are the server's: what one sends is what the other reads", () => {
  const sent: ApiDocument = full;
  const received = (types: ApiNodeType[]): NodeType[] => types;
  expect(sent).toBe(full);
  expect(received([])).toEqual([]);
});

test("keys that the editor does not know stay", () => {
  const doc = { ...full, later: { x: 1 } } as GraphDocument;
  const node = { ...full.nodes.sample, later: 2 } as GraphDocument["nodes"][string];
  const next = renameNode(
    setInput({ ...doc, nodes: { ...doc.nodes, sample: node } }, readPort("sample.steps"), 4),
    "sample",
    "s",
  );
  expect(next).toHaveProperty("later", { x: 1 });
  expect(next.nodes.s).toHaveProperty("later", 2);
});
