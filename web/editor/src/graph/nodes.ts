import type { Json } from "./catalog";
import type { GraphDocument, GraphNode, Port } from "./document";
import { EditError } from "./errors";
import { readLink, readPort } from "./names";
import { entry, mapped, without, withPart } from "./records";

/** A node by id. Throws `EditError` where there is none. */
export function nodeOf(doc: GraphDocument, id: string): GraphNode {
  const node = entry(doc.nodes, id);
  if (node === undefined) throw new EditError("edit.unknownNode", { node: id });
  return node;
}

/** What is written for an input: a value, a link, or a list that may hold links. */
export function inputValue(node: GraphNode | undefined, name: string): Json | undefined {
  return entry(node?.inputs, name);
}

/** Whether an input is linked, or written as a list with a link in it. */
export function hasLinks(value: Json | undefined): boolean {
  return Array.isArray(value) ? value.some((item) => readLink(item) !== null) : readLink(value) !== null;
}

/** A node with its inputs replaced; none are left out. */
export function withInputs(node: GraphNode, inputs: Readonly<Record<string, Json>>): GraphNode {
  return inputs === node.inputs || (node.inputs === undefined && Object.keys(inputs).length === 0)
    ? node
    : withPart(node, "inputs", { ...inputs });
}

/** An input's value with every link replaced; `undefined` takes it out, and a list that it leaves empty too. */
export function withLinks(value: Json, change: (from: Port, link: Json) => Json | undefined): Json | undefined {
  if (!Array.isArray(value)) {
    const from = readLink(value);
    return from === null ? value : change(from, value);
  }
  let changed = false;
  const items = value.flatMap((item) => {
    const from = readLink(item);
    const next = from === null ? item : change(from, item);
    changed ||= next !== item;
    return next === undefined ? [] : [next];
  });
  if (!changed) return value;
  return items.length ? items : undefined;
}

/** A node with every link of its inputs replaced or taken out; the same node where all stay. */
export function relinked(node: GraphNode, change: (from: Port, link: Json) => Json | undefined): GraphNode {
  const inputs = node.inputs;
  if (inputs === undefined) return node;
  const next = new Map<string, Json | undefined>();
  for (const [name, value] of Object.entries(inputs)) {
    const changed = withLinks(value, change);
    if (changed !== value) next.set(name, changed);
  }
  if (next.size === 0) return node;
  const kept = without(inputs, (name) => next.has(name) && next.get(name) === undefined);
  return withInputs(
    node,
    mapped(kept, (value, name) => (next.has(name) ? (next.get(name) as Json) : value)),
  );
}

/** A document without what names some nodes apart from links: places, public ports and seeds. */
export function withoutMentions(doc: GraphDocument, gone: ReadonlySet<string>): GraphDocument {
  const names = (path: string) => gone.has(readPort(path).node);
  let next = doc;
  if (doc.layout)
    next = withPart(
      next,
      "layout",
      without(doc.layout, (id) => gone.has(id)),
    );
  if (doc.seeds) next = withPart(next, "seeds", without(doc.seeds, names));
  const shown = doc.interface;
  if (shown === undefined) return next;
  let sides = shown;
  for (const side of ["inputs", "outputs"] as const) {
    const ports = sides[side];
    if (ports)
      sides = withPart(
        sides,
        side,
        without(ports, (_, path) => names(path)),
      );
  }
  return withPart(next, "interface", sides);
}
