import { type Catalog, type InputPort, inputOf, type TypeJson, typeOf } from "./catalog";
import type { GraphDocument, GraphNode, Port } from "./document";
import { Inference, type KindOfModel } from "./inference";
import { portPath } from "./names";
import { hasLinks, inputValue } from "./nodes";
import { entry } from "./records";
import { type Fit, isGeneric, typeLabel } from "./types";

/** What is known of a model: its kind is null where it cannot be used. */
export interface KnownModel {
  name: string;
  kind: string | null;
}

/** The types of a document's ports, as far as its links and models say. */
export interface Kinds {
  /** A port's label with its kind, e.g. "Latent[sd1]"; "" for a port that is not known. */
  label(port: Port, side: "in" | "out"): string;
  /** A port's type with all that is known of its variables; null for a port that is not known. */
  type(port: Port, side: "in" | "out"): TypeJson | null;
  /** How the link to an input works ("map": once for each item of a list); null where there is none that does. */
  fit(to: Port): Fit | null;
}

class KnownKinds implements Kinds {
  readonly inference: Inference;
  readonly kindOf: KindOfModel;
  readonly models: readonly KnownModel[];
  readonly #labels = new Map<string, string>();

  constructor(nodes: GraphDocument["nodes"], catalog: Catalog, models: readonly KnownModel[]) {
    const usable = models.flatMap(({ name, kind }): [string, string][] => (kind ? [[name, kind]] : []));
    this.kindOf = new Map(usable);
    this.models = models;
    this.inference = new Inference(nodes, catalog, this.kindOf);
  }

  label(port: Port, side: "in" | "out"): string {
    const key = `${side} ${portPath(port)}`;
    let label = this.#labels.get(key);
    if (label === undefined) {
      const type = this.inference.type(port, side);
      label = type === null ? "" : typeLabel(type);
      this.#labels.set(key, label);
    }
    return label;
  }

  type(port: Port, side: "in" | "out"): TypeJson | null {
    return this.inference.type(port, side);
  }

  fit(to: Port): Fit | null {
    return this.inference.fit(to);
  }
}

interface Known {
  nodes: GraphDocument["nodes"];
  catalog: Catalog;
  kinds: KnownKinds;
}

/** By a document's nodes: moving them changes no type. */
const known = new WeakMap<GraphDocument["nodes"], Known>();

/** What was last made: while a number is dragged or a text typed, no type changes. */
let last: Known | null = null;

/** The types of a document's ports: a node that loads a model has its kind, and links carry it on. O(nodes + links). */
export function inferKinds(doc: GraphDocument, catalog: Catalog, models: readonly KnownModel[]): Kinds {
  return infer(doc, catalog, models);
}

function infer({ nodes }: GraphDocument, catalog: Catalog, models: readonly KnownModel[]): KnownKinds {
  const fits = (found: Known | null | undefined) => found?.catalog === catalog && found.kinds.models === models;
  const cached = known.get(nodes);
  if (cached && fits(cached)) return cached.kinds;
  const same = last !== null && fits(last) && sameTypes(last.nodes, nodes, catalog) ? last.kinds : null;
  last = { nodes, catalog, kinds: same ?? new KnownKinds(nodes, catalog, models) };
  known.set(nodes, last);
  return last.kinds;
}

type Nodes = GraphDocument["nodes"];

/** Whether two documents differ in nothing but values that say nothing of types. */
function sameTypes(before: Nodes, now: Nodes, catalog: Catalog): boolean {
  const ids = Object.keys(now);
  return (
    ids.length === Object.keys(before).length &&
    ids.every((id) => {
      const [one, other] = [entry(before, id), entry(now, id)];
      return one === other || (one !== undefined && other !== undefined && sameTypesOf(one, other, catalog));
    })
  );
}

function sameTypesOf(before: GraphNode, now: GraphNode, catalog: Catalog): boolean {
  const type = typeOf(catalog, now.type);
  // A bypassed node hands a value on to where it may say something.
  if (type === undefined || before.type !== now.type || before.state != null || now.state != null) return false;
  const names = new Set([...Object.keys(before.inputs ?? {}), ...Object.keys(now.inputs ?? {})]);
  return [...names].every((name) => {
    const values = [inputValue(before, name), inputValue(now, name)];
    const port = inputOf(type, name);
    return values[0] === values[1] || (port !== undefined && isPlain(port) && !values.some(hasLinks));
  });
}

/** Whether a value of an input says nothing of the types of its node. */
function isPlain(port: InputPort): boolean {
  return port.resource !== "model" && !isGeneric(port.type);
}

/** For who asks what fits whatever the models are. */
export const NO_MODELS: readonly KnownModel[] = [];

/** What says so: for this document, with the models that `kinds` knows, whichever document they were made for. */
export function inferenceOf(
  doc: GraphDocument,
  catalog: Catalog,
  kinds: Kinds | null,
): { inference: Inference; kindOf: KindOfModel } {
  return infer(doc, catalog, kinds instanceof KnownKinds ? kinds.models : NO_MODELS);
}
