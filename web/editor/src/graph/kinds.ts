import type { Catalog, TypeJson } from "./catalog";
import type { GraphDocument, Port } from "./document";
import { Inference, type KindOfModel } from "./inference";
import { portPath } from "./names";
import { type Fit, typeLabel } from "./types";

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

/** By a document's nodes: moving them changes no type. */
const known = new WeakMap<GraphDocument["nodes"], { catalog: Catalog; kinds: KnownKinds }>();

/** The types of a document's ports: a node that loads a model has its kind, and links carry it on. O(nodes + links). */
export function inferKinds(doc: GraphDocument, catalog: Catalog, models: readonly KnownModel[]): Kinds {
  return infer(doc, catalog, models);
}

function infer(doc: GraphDocument, catalog: Catalog, models: readonly KnownModel[]): KnownKinds {
  const cached = known.get(doc.nodes);
  if (cached?.catalog === catalog && cached.kinds.models === models) return cached.kinds;
  const kinds = new KnownKinds(doc.nodes, catalog, models);
  known.set(doc.nodes, { catalog, kinds });
  return kinds;
}

const NO_MODELS: readonly KnownModel[] = [];

/** What says so: for this document, with the models that `kinds` knows, whichever document they were made for. */
export function inferenceOf(
  doc: GraphDocument,
  catalog: Catalog,
  kinds: Kinds | null,
): { inference: Inference; kindOf: KindOfModel } {
  return infer(doc, catalog, kinds instanceof KnownKinds ? kinds.models : NO_MODELS);
}
