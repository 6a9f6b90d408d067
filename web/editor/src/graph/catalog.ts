/** The catalogue of node types, as `GET /api/nodes` sends it. */

import type * as server from "../api.gen";

/** Any JSON value. */
export type Json = server.JsonValue;

/** A type as the server exports it (engine/types.py, `to_json`). */
export type TypeJson = server.TypeJson;

/** The part of JSON Schema that pydantic writes for values. */
export interface JsonSchema {
  type?: string;
  enum?: Json[];
  const?: Json;
  default?: Json;
  description?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  items?: JsonSchema;
  prefixItems?: JsonSchema[];
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
}

/** Some of a type's fields may be missing. */
type Perhaps<T, Names extends keyof T> = Omit<T, Names> & Partial<Pick<T, Names>>;

/** An input port; its schema as pydantic writes it. */
export type InputPort = Perhaps<Omit<server.InputPort, "schema">, "resource"> & { schema: JsonSchema | null };

/** An output port. */
export type OutputPort = Perhaps<server.OutputPort, "inspectable">;

/** A declared node type. */
export type NodeType = Perhaps<Omit<server.NodeType, "inputs" | "outputs">, "relay"> & {
  inputs: InputPort[];
  outputs: OutputPort[];
};

/** Node types by id. */
export type Catalog = Record<string, NodeType>;

/** The catalogue of a list of node types. */
export function catalogOf(types: readonly NodeType[]): Catalog {
  return Object.fromEntries(types.map((type) => [type.id, type]));
}

/** A node type by id. */
export function typeOf(catalog: Catalog, id: string): NodeType | undefined {
  return Object.hasOwn(catalog, id) ? catalog[id] : undefined;
}

/** An input of a node type. */
export function inputOf(type: NodeType | undefined, name: string): InputPort | undefined {
  return type?.inputs.find((port) => port.name === name);
}

/** An output of a node type. */
export function outputOf(type: NodeType | undefined, name: string): OutputPort | undefined {
  return type?.outputs.find((port) => port.name === name);
}
