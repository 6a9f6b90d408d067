import { expect, test } from "vitest";
import { Inference } from "./inference";
import { inferKinds } from "./kinds";
import { readPort } from "./names";
import { catalog, documentOf, link, models, table } from "./testTable";

const kindOf = new Map(models.flatMap(({ name, kind }) => (kind ? [[name, kind] as const] : [])));
const inferred = (nodes: Parameters<typeof documentOf>[0]) => new Inference(nodes, catalog, kindOf);

test("the links that do not fit are those of the server's check, for the same reason", () => {
  for (const graph of table.graphs) {
    const found = inferred(graph.nodes);
    expect([...found.misfits.keys()].sort()).toEqual(Object.keys(graph.problems).sort());
    for (const [path, { clash, wanted, given }] of found.misfits) {
      const problem = graph.problems[path];
      expect(clash).toBe(problem?.clash);
      if (!problem?.what.endsWith("not a list of links.")) {
        expect(problem?.what).toMatch(new RegExp(`^It wants ${escaped(wanted)}; .* gives ${escaped(given)}\\.$`));
      }
    }
  }
});

function escaped(text: string): string {
  return text.replaceAll(/[[\]()]/g, "\\$&");
}

test("ports have the types that the server's check finds", () => {
  for (const graph of table.graphs) {
    const kinds = kindsOf(graph.nodes);
    const labels = (ports: Record<string, string>, side: "in" | "out") =>
      Object.fromEntries(Object.keys(ports).map((path) => [path, kinds(path, side)]));
    expect(labels(graph.inputs, "in")).toEqual(graph.inputs);
    expect(labels(graph.outputs, "out")).toEqual(graph.outputs);
  }
});

function kindsOf(nodes: Parameters<typeof documentOf>[0]) {
  const kinds = inferKinds(documentOf(nodes), catalog, models);
  return (path: string, side: "in" | "out") => kinds.label(readPort(path), side);
}

test("links are wrapped and mapped where the server does it", () => {
  for (const graph of table.graphs) {
    const found = inferred(graph.nodes);
    for (const [path, how] of Object.entries(graph.fits)) expect(found.fit(readPort(path))).toBe(how);
  }
});

test("what a relay is given is looked at where it arrives", () => {
  const found = inferred({
    photo: { type: "Photograph" },
    turn: { type: "Turn", inputs: { value: link("photo.photo") } },
    decode: { type: "Decode", inputs: { latent: link("turn.value") } },
  });
  expect([...found.misfits.values()]).toEqual([
    { at: { node: "decode", port: "latent" }, clash: false, wanted: "Latent", given: "Photo" },
  ]);
});

test("a circle, an unknown type and a link to nowhere are no reason to stop", () => {
  const found = inferred({
    one: { type: "Turn", inputs: { value: link("two.value") } },
    two: { type: "Turn", inputs: { value: link("one.value") } },
    strange: { type: "Strange", inputs: { x: link("one.value") } },
    decode: { type: "Decode", inputs: { latent: link("gone.latent"), model: link("strange.x") } },
  });
  expect(found.circular).toBe(true);
  expect(found.misfits.size).toBe(0);
  expect(found.type({ node: "strange", port: "x" }, "in")).toBe(null);
});
