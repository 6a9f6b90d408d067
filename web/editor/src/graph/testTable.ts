import { catalogOf, type NodeType, type TypeJson } from "./catalog";
import type { GraphDocument, GraphNode } from "./document";
import text from "./fits.fixture.json?raw";
import type { KnownModel } from "./kinds";
import { mapped, withPart } from "./records";

/** What the engine says (tests/web/editor/fits_table.py). */
interface Table {
  types: { type: TypeJson; label: string }[];
  fits: string[];
  clashes: string[];
  chains: [number, number, string, string, string][][];
  models: KnownModel[];
  catalog: NodeType[];
  graphs: TableGraph[];
}

interface TableGraph {
  nodes: Record<string, GraphNode>;
  problems: Record<string, { clash: boolean; what: string }>;
  inputs: Record<string, string>;
  outputs: Record<string, string>;
  fits: Record<string, string>;
}

export const table = JSON.parse(text) as Table;
export const catalog = catalogOf(table.catalog);
export const models = table.models;
export const documents: GraphDocument[] = table.graphs.map(({ nodes }) => documentOf(mapped(nodes, withoutEmpty)));

/** Python writes `inputs` also where there are none, the editor does not. */
function withoutEmpty(node: GraphNode): GraphNode {
  return withPart(node, "inputs", node.inputs);
}

/** A node type of the table. */
export function typeNamed(id: string): NodeType {
  const found = catalog[id];
  if (found === undefined) throw new Error(`The table has no node type ${id}.`);
  return found;
}

/** A document of nodes alone. */
export function documentOf(nodes: Record<string, GraphNode>): GraphDocument {
  return { version: 1, nodes };
}

/** A link's JSON. */
export function link(path: string): { link: string } {
  return { link: path };
}
