import { expect, test } from "vitest";
import { copyText, pasteText, readDocument } from "./clipboard";
import { EditError, emptyDocument, type GraphDocument, mergeDocument, removeNodes } from "./document";
import { linksOf } from "./links";
import { catalog, documentOf, documents, link } from "./testTable";

const doc: GraphDocument = {
  ...documentOf({
    load: { type: "Load", inputs: { model: "small" } },
    sample: { type: "Sample", inputs: { model: link("load.model"), latent: link("load.latent") }, state: "mute" },
    decode: { type: "Decode", inputs: { latent: link("sample.latent") } },
    mix: { type: "Mix", inputs: { latents: [link("load.latent"), link("sample.latent")] } },
  }),
  layout: { load: [0, 0], sample: [300, 10, 260], decode: [600, 20], mix: [600, 300] },
  frames: {
    steps: { title: "Steps", spot: [290, -10, 700, 200], tint: "red" },
    all: { title: "All", spot: [-10, -20, 2000, 2000] },
  },
  seeds: { "sample.steps": "random" },
  interface: { outputs: { image: "decode.image" } },
};

test("copied nodes keep their links, places, states, seeds and frames", () => {
  const { doc: next, ids } = pasteText(doc, catalog, copyText(doc, ["sample", "decode"]), [1000, 1000], true);
  expect(ids).toEqual(["sample_2", "decode_2"]);
  expect(next.nodes.sample_2).toEqual(doc.nodes.sample);
  expect(next.nodes.decode_2?.inputs).toEqual({ latent: link("sample_2.latent") });
  expect(next.frames?.steps_2).toEqual({ title: "Steps", spot: [1000, 1000, 700, 200], tint: "red" });
  expect(next.layout?.sample_2).toEqual([1010, 1020, 260]);
  expect(next.layout?.decode_2).toEqual([1310, 1030]);
  expect(next.seeds).toEqual({ "sample.steps": "random", "sample_2.steps": "random" });
  expect(next.interface).toEqual(doc.interface);
});

test("links from outside go where nobody wants them, or where there is no such output", () => {
  const text = copyText(doc, ["sample", "mix"]);
  const without = pasteText(doc, catalog, text, [0, 0], false).doc;
  expect(without.nodes.sample_2?.inputs).toBeUndefined();
  expect(without.nodes.mix_2?.inputs).toEqual({ latents: [link("sample_2.latent")] });
  const elsewhere = pasteText(emptyDocument(), catalog, text, [0, 0], true).doc;
  expect(linksOf(elsewhere).every(({ from }) => from.node in elsewhere.nodes)).toBe(true);
  const other = documentOf({ load: { type: "Text" } });
  expect(pasteText(other, catalog, text, [0, 0], true).doc.nodes.sample?.inputs).toBeUndefined();
});

test("to copy and paste all of a graph gives it a second time", () => {
  for (const one of documents) {
    const ids = Object.keys(one.nodes);
    const { doc: twice, ids: pasted } = pasteText(one, catalog, copyText(one, ids), [0, 0], true);
    expect(linksOf(twice)).toHaveLength(2 * linksOf(one).length);
    expect(pasted).toHaveLength(ids.length);
    expect(removeNodes(twice, pasted).nodes).toEqual(one.nodes);
    const alone = pasteText(emptyDocument(), catalog, copyText(one, ids), [0, 0], true).doc;
    expect(alone.nodes).toEqual(one.nodes);
  }
});

test("a whole graph's text is pasted as its nodes", () => {
  const { doc: next, ids } = pasteText(doc, catalog, JSON.stringify(doc), [0, 5000], false);
  expect(ids).toEqual(["load_2", "sample_2", "decode_2", "mix_2"]);
  expect(linksOf(next)).toHaveLength(2 * linksOf(doc).length);
});

test("merging takes ids that are free on both sides", () => {
  const one = documentOf({ a: { type: "Text" } });
  const two = documentOf({ a: { type: "Text" }, a_2: { type: "Sheet", inputs: { labels: [link("a.text")] } } });
  const { doc: next, ids } = mergeDocument(one, two, [10, 0]);
  expect(ids).toEqual(["a_2", "a_3"]);
  expect(next.nodes.a_3?.inputs).toEqual({ labels: [link("a_2.text")] });
  expect(next.layout).toEqual({ a_2: [10, 0], a_3: [330, 0] });
  expect(mergeDocument(one, emptyDocument()).doc).toBe(one);
});

test("any other text is refused, and says how", () => {
  const refused = (text: string) => {
    try {
      pasteText(doc, catalog, text, [0, 0], true);
    } catch (error) {
      return error instanceof EditError ? error.key : error;
    }
    return "pasted";
  };
  expect(refused("a fox")).toBe("edit.brokenJson");
  for (const text of ["null", "[]", "{}", '{"nodes": []}', '{"version": 1, "nodes": {"a": {"type": 1}}}']) {
    expect(refused(text)).toBe("edit.notGraph");
  }
  for (const more of ['"layout": {"a": [1]}', '"frames": {"a": {}}', '"seeds": {"a.b": 1}', '"interface": []']) {
    expect(refused(`{"version": 1, "nodes": {}, ${more}}`)).toBe("edit.notGraph");
  }
  expect(refused('{"version": 1, "nodes": {"a.b": {"type": "T"}}}')).toBe("edit.notGraph");
  expect(refused('{"version": 99, "nodes": {}}')).toBe("edit.newerVersion");
  expect(refused('{"patchbay": 2, "nodes": {}}')).toBe("edit.newerVersion");
});

test("a document is read as it is written, with what the editor does not know", () => {
  const text = JSON.stringify({ ...doc, later: 1 });
  expect(JSON.stringify(readDocument(text))).toBe(text);
  expect(() => readDocument(copyText(doc, ["load"]))).toThrow(EditError);
});
