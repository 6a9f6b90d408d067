/** The catalogue of node types, as `GET /api/nodes` sends it. */

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A type as the server exports it (engine/types.py, `to_json`). */
export type TypeJson =
  | { is: "scalar" | "kind"; name: string }
  | { is: "choice"; values: Json[] }
  | { is: "named"; name: string; args: TypeJson[]; bases: string[] }
  | { is: "variable"; name: string; kind: boolean; within: TypeJson[] }
  | { is: "list"; item: TypeJson }
  | { is: "union"; members: TypeJson[] }
  | { is: "anything" };

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

/** An input port. `dial` is what a person sets rather than links; `schema` is null where only links go in. */
export interface InputPort {
  name: string;
  type: TypeJson;
  label: string;
  required: boolean;
  dial: boolean;
  lazy: boolean;
  description: string;
  schema: JsonSchema | null;
  /** What a text names outside the graph, such as "model" or "picture". */
  resource?: string | null;
}

/** An output port. */
export interface OutputPort {
  name: string;
  type: TypeJson;
  label: string;
  /** Whether there is something to see for whoever looks at a value of it. */
  inspectable?: boolean;
}

/** A declared node type. */
export interface NodeType {
  id: string;
  category: string;
  summary: string;
  inputs: InputPort[];
  outputs: OutputPort[];
  device: boolean;
  effect: boolean;
  deterministic: boolean;
  /** Gives what it is given: links go through it. */
  relay?: boolean;
  version: number;
}

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
