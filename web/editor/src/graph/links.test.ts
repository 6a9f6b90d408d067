import { expect, test } from "vitest";
import { typeOf } from "./catalog";
import { connect, disconnect, EditError, type GraphDocument, moveNodes, type Port, setInput } from "./document";
import { Inference } from "./inference";
import { inferKinds, type Kinds } from "./kinds";
import { linkId, linksOf, linksTo, readLink, refusal, upstreamOf, valueWith, wouldCircle } from "./links";
import { portPath } from "./names";
import { catalog, documentOf, documents, link, models } from "./testTable";

const kindOf = new Map(models.flatMap(({ name, kind }) => (kind ? [[name, kind] as const] : [])));

test("a link is a JSON object with nothing but a text called link", () => {
  expect(readLink({ link: "a.b.c" })).toEqual({ node: "a", port: "b.c" });
  for (const value of [null, "a.b", ["a.b"], {}, { link: 1 }, { link: "a.b", more: 1 }, undefined]) {
    expect(readLink(value)).toBe(null);
  }
});

test("links are listed with their place in a list, and are the same objects when nodes only move", () => {
  const doc = documentOf({
    a: { type: "Photograph" },
    s: { type: "Sheet", inputs: { images: [link("a.photo"), "x", link("a.photo")] } },
    d: { type: "Cut", inputs: { image: link("s.image") } },
  });
  expect(linksOf(doc).map(linkId)).toEqual(["a.photo>s.images[0]", "a.photo>s.images[2]", "s.image>d.image"]);
  expect(linksOf(moveNodes(doc, { a: [5, 5] }))).toBe(linksOf(doc));
  const edited = setInput(doc, { node: "d", port: "image" }, link("a.photo"));
  expect(linksOf(edited)[0]).toBe(linksOf(doc)[0]);
});

test("a link closes a circle exactly when its end is before its beginning", () => {
  for (const doc of documents) {
    const ids = Object.keys(doc.nodes);
    for (const from of ids) {
      for (const to of ids) {
        const fresh = { ...doc, nodes: { ...doc.nodes } };
        const found = [doc, fresh].map((one) => wouldCircle(one, end(from), end(to)));
        if (found.includes(!upstreamOf(doc, from).has(to))) expect([from, to]).toBe(found);
      }
    }
  }
});

function end(node: string): Port {
  return { node, port: "x" };
}

/** Every output and input of a document. */
function* pairs(doc: GraphDocument): Generator<[Port, Port]> {
  for (const [from, giver] of Object.entries(doc.nodes)) {
    for (const [to, taker] of Object.entries(doc.nodes)) {
      for (const output of typeOf(catalog, giver.type)?.outputs ?? []) {
        for (const input of typeOf(catalog, taker.type)?.inputs ?? []) {
          yield [
            { node: from, port: output.name },
            { node: to, port: input.name },
          ];
        }
      }
    }
  }
}

test("a link is refused exactly when a check of the linked graph finds something that is wrong only then", () => {
  const answers = new Map<string, number>();
  for (const doc of documents.slice(0, 25)) {
    const kinds = inferKinds(doc, catalog, models);
    const before = new Inference(doc.nodes, catalog, kindOf);
    for (const [from, to] of pairs(doc)) {
      const reason = refusal(doc, catalog, kinds, from, to)?.reason ?? "fits";
      answers.set(reason, (answers.get(reason) ?? 0) + 1);
      const [expected, certain] = verdict(doc, before, from, to, kinds);
      // The editor looks at muted nodes too: what is wrong there would come out later.
      const right = expected === "circle" ? reason === "circle" : (reason !== "fits") === (expected === "refused");
      if (!right && (certain || reason === "fits")) expect([doc.nodes, from, to, reason]).toBe(expected);
    }
  }
  expect([...answers.keys()].sort()).toEqual(["circle", "fits", "kind", "type"]);
}, 30_000);

/** What a check would say, and whether it looks at all that is linked there. */
function verdict(doc: GraphDocument, before: Inference, from: Port, to: Port, kinds: Kinds): [string, boolean] {
  if (wouldCircle(doc, from, to)) return ["circle", true];
  const linked = setInput(doc, to, valueWith(doc, catalog, kinds, from, to));
  const found = new Inference(linked.nodes, catalog, kindOf);
  const wrong = [...found.misfits.keys()].some((path) => path === portPath(to) || !before.misfits.has(path));
  const sources = linksTo(linked, to.node).filter((one) => one.to.port === to.port);
  return [wrong ? "refused" : "fits", [to, ...sources.map((one) => one.from)].every(({ node }) => found.checks(node))];
}

test("a refusal says which types meet", () => {
  const doc = documentOf({
    small: { type: "Load", inputs: { model: "small" } },
    large: { type: "Load", inputs: { model: "large" } },
    sample: { type: "Sample", inputs: { model: link("small.model") } },
    photo: { type: "Photograph" },
  });
  const kinds = inferKinds(doc, catalog, models);
  const to = { node: "sample", port: "latent" };
  expect(refusal(doc, catalog, kinds, { node: "large", port: "latent" }, to)).toEqual({
    reason: "kind",
    wanted: "Latent[sd1]",
    given: "Latent[sdxl]",
  });
  expect(refusal(doc, catalog, kinds, { node: "photo", port: "photo" }, to)).toEqual({
    reason: "type",
    wanted: "Latent[sd1]",
    given: "Photo",
  });
  expect(refusal(doc, catalog, kinds, { node: "small", port: "latent" }, to)).toBe(null);
  // In place of the link that says the kind, any kind will do.
  expect(refusal(doc, catalog, kinds, { node: "large", port: "model" }, { node: "sample", port: "model" })).toBe(null);
  expect(refusal(doc, catalog, kinds, to, { node: "small", port: "latent" })?.reason).toBe("direction");
  expect(refusal(doc, catalog, kinds, { node: "gone", port: "x" }, to)?.reason).toBe("unknown");
});

test("a link that makes another one wrong says where", () => {
  const doc = documentOf({
    photo: { type: "Photograph" },
    choose: { type: "Choose", inputs: { condition: true } },
    decode: { type: "Decode", inputs: { latent: link("choose.value") } },
  });
  const kinds = inferKinds(doc, catalog, models);
  const why = refusal(doc, catalog, kinds, { node: "photo", port: "photo" }, { node: "choose", port: "then" });
  expect(why).toEqual({ reason: "type", wanted: "Latent", given: "Photo", at: { node: "decode", port: "latent" } });
});

test("what is known of an older document says nothing wrong of a newer one", () => {
  const old = documentOf({ decode: { type: "Decode" } });
  const kinds = inferKinds(old, catalog, models);
  const doc = documentOf({
    large: { type: "Load", inputs: { model: "large" } },
    small: { type: "Load", inputs: { model: "small" } },
    decode: { type: "Decode", inputs: { model: link("small.model") } },
  });
  const why = refusal(doc, catalog, kinds, { node: "large", port: "latent" }, { node: "decode", port: "latent" });
  expect(why?.reason).toBe("kind");
});

test("to connect and to disconnect again gives the document back where nothing was written", () => {
  for (const doc of documents.slice(0, 20)) {
    for (const [from, to] of pairs(doc)) {
      const before = doc.nodes[to.node]?.inputs?.[to.port];
      const free = before === undefined || (Array.isArray(before) && before.length > 1);
      if (!free || refusal(doc, catalog, inferKinds(doc, catalog, []), from, to) !== null) continue;
      const next = connect(doc, catalog, from, to);
      const made = linksTo(next, to.node).findLast((one) => one.to.port === to.port);
      if (made === undefined || (before !== undefined && made.item === null)) continue;
      expect(portPath(made.from)).toBe(portPath(from));
      expect(disconnect(next, made, catalog)).toEqual(doc);
    }
  }
});

test("what is refused cannot be connected", () => {
  const doc = documentOf({ photo: { type: "Photograph" }, decode: { type: "Decode" }, cut: { type: "Cut" } });
  const photo = { node: "photo", port: "photo" };
  expect(() => connect(doc, catalog, photo, { node: "decode", port: "latent" })).toThrow(EditError);
  expect(() => connect(doc, catalog, photo, { node: "decode", port: "nothing" })).toThrow(EditError);
  expect(() => connect(doc, catalog, photo, { node: "gone", port: "x" })).toThrow(EditError);
  expect(() => connect(doc, catalog, { node: "cut", port: "images" }, { node: "cut", port: "image" })).toThrow(
    EditError,
  );
});
