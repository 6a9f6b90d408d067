import { catalogOf, type InputPort, type NodeType, type TypeJson } from "../graph/catalog";
import type { GraphDocument } from "../graph/document";

/** Types and a graph for the canvas' tests: a small text-to-image. */

const kind: TypeJson = { is: "variable", name: "K", kind: true, within: [] };
const named = (name: string): TypeJson => ({ is: "named", name, args: [kind], bases: [] });
const integer: TypeJson = { is: "scalar", name: "int" };
const anything: TypeJson = { is: "variable", name: "T", kind: false, within: [] };

function input(name: string, type: TypeJson, change: Partial<InputPort> = {}): InputPort {
  return {
    name,
    type,
    label: name,
    required: true,
    dial: false,
    lazy: false,
    description: "",
    schema: null,
    resource: null,
    ...change,
  };
}

function nodeType(id: string, inputs: InputPort[], outputs: [string, TypeJson][], category = "test"): NodeType {
  return {
    id,
    category,
    summary: `Makes ${id}.`,
    inputs,
    outputs: outputs.map(([name, type]) => ({ name, type, label: name, inspectable: true })),
    device: false,
    effect: false,
    deterministic: true,
    relay: false,
    version: 1,
  };
}

const dial = { dial: true, required: false, schema: { type: "integer", default: 20 } };

export const TYPES = catalogOf([
  nodeType(
    "Load",
    [],
    [
      ["model", named("Denoiser")],
      ["vae", named("VAE")],
    ],
    "load",
  ),
  nodeType("Empty", [input("width", integer, dial)], [["latent", named("Latent")]], "latent"),
  nodeType(
    "Sample",
    [input("model", named("Denoiser")), input("latent", named("Latent")), input("steps", integer, dial)],
    [["latent", named("Latent")]],
    "sampling",
  ),
  nodeType(
    "Decode",
    [input("vae", named("VAE")), input("latent", named("Latent"))],
    [["image", named("Image")]],
    "latent",
  ),
  nodeType("Switch", [input("a", anything)], [["value", anything]], "control"),
  nodeType("Note", [input("text", { is: "scalar", name: "str" }, { schema: { type: "string" }, required: false })], []),
]);

export const GRAPH: GraphDocument = {
  version: 1,
  nodes: {
    load: { type: "Load" },
    size: { type: "Empty" },
    sample: { type: "Sample", inputs: { model: { link: "load.model" }, latent: { link: "size.latent" }, steps: 4 } },
    decode: { type: "Decode", inputs: { vae: { link: "load.vae" } } },
  },
  layout: { load: [0, 0], size: [0, 300], sample: [400, 0], decode: [800, 0] },
};
