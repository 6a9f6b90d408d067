import { type Catalog, type Json, type NodeType, outputOf, type TypeJson, typeOf } from "./catalog";
import type { GraphDocument, GraphNode, Port } from "./document";
import { portPath, readLink } from "./names";
import { inputValue } from "./nodes";
import { handedOn } from "./ports";
import { entry } from "./records";
import { ANYTHING, typeOfValue, union } from "./types";

/** What is known by path. */
export interface Known<T> {
  get(path: string): T | undefined;
}

/** Outputs that an input is given, `list` where they are written as a list. */
export interface TypeGiven {
  is: "type";
  type: TypeJson;
  sources: Port[];
  list: boolean;
}

/** What an input is given; null where nothing can be said of it. */
export type Given = TypeGiven | { is: "value"; value: Json } | { is: "absent" } | null;

/** What a link leads to: an output, a written value (through a bypassed node), or nothing (a muted node). */
type Followed = { is: "from"; port: Port } | { is: "passed"; raw: Json } | { is: "absent" } | null;

/** Where links lead in a document: through bypassed nodes and relays, and not to muted nodes or what needs them. */
export class Sources {
  readonly #nodes: GraphDocument["nodes"];
  readonly #catalog: Catalog;
  /** Nodes that are muted, or kept from running by a muted one. */
  readonly absent = new Set<string>();

  constructor(nodes: GraphDocument["nodes"], catalog: Catalog) {
    this.#nodes = nodes;
    this.#catalog = catalog;
  }

  node(id: string): GraphNode | undefined {
    return entry(this.#nodes, id);
  }

  type(id: string): NodeType | undefined {
    const node = this.node(id);
    return node && typeOf(this.#catalog, node.type);
  }

  /** What an input is given that is written as `raw`, as far as the types of outputs are known. */
  given(raw: Json, outputs: Known<TypeJson>): Given {
    const link = readLink(raw);
    if (link !== null) {
      const found = this.#follow(link);
      if (found?.is === "passed") return this.given(found.raw, outputs);
      if (found?.is !== "from") return found;
      const type = outputs.get(portPath(found.port));
      return type === undefined ? null : { is: "type", type, sources: [found.port], list: false };
    }
    const isList = Array.isArray(raw) && raw.some((item) => readLink(item) !== null);
    return isList ? this.#givenList(raw, outputs) : { is: "value", value: raw };
  }

  #givenList(raw: Json[], outputs: Known<TypeJson>): Given {
    const types: TypeJson[] = [];
    const sources: Port[] = [];
    for (const item of raw) {
      const link = readLink(item);
      const found: Followed = link === null ? { is: "passed", raw: item } : this.#follow(link);
      if (found === null) return null;
      if (found.is === "passed") types.push(typeOfValue(found.raw));
      if (found.is === "from") {
        sources.push(found.port);
        types.push(outputs.get(portPath(found.port)) ?? ANYTHING);
      }
    }
    return { is: "type", type: { is: "list", item: types.length ? union(types) : ANYTHING }, sources, list: true };
  }

  #follow(link: Port): Followed {
    const seen = new Set<string>();
    for (let at = link; !seen.has(at.node); ) {
      seen.add(at.node);
      const node = this.node(at.node);
      const type = this.type(at.node);
      const output = outputOf(type, at.port);
      if (node === undefined || type === undefined || output === undefined) return null;
      if (node.state === "mute" || this.absent.has(at.node)) return { is: "absent" };
      if (node.state == null) {
        const onward = this.#relayed(node, type);
        if (onward === null) return { is: "from", port: at };
        at = onward;
        continue;
      }
      const raw = handedOn(node, type, output.type);
      const next = readLink(raw);
      if (next === null) return raw === undefined ? null : { is: "passed", raw };
      at = next;
    }
    return null;
  }

  /** The link that a relay is given, where it leads to an output. */
  #relayed(node: GraphNode, type: NodeType): Port | null {
    const [port] = type.inputs;
    const link = type.relay && port ? readLink(inputValue(node, port.name)) : null;
    return link !== null && outputOf(this.type(link.node), link.port) ? link : null;
  }
}
