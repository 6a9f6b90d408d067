import { type Catalog, inputOf, type Json, type NodeType, outputOf, typeOf } from "./catalog";
import { EditError } from "./errors";
import { inferKinds, NO_MODELS } from "./kinds";
import { checkedSpot } from "./layout";
import { type Link, linksOf, linksTo, refusal, valueWith, wouldCircle } from "./links";
import { asNodeId, freeName, idWish, isNodeId, portPath, readLink, readPort, writeLink } from "./names";
import { inputValue, nodeOf, relinked, withInputs, withoutMentions } from "./nodes";
import { handedOn, takesList } from "./ports";
import { entry, mapped, renamed, sameJson, withEntry, without, withPart } from "./records";

export type { Catalog, InputPort, Json, JsonSchema, NodeType, OutputPort, TypeJson } from "./catalog";
export { EditError } from "./errors";
export { exposeInput, exposeOutput, hideInput, hideOutput, renamePublic } from "./interface";
export { addFrame, editFrame, moveFrame, moveNodes, nodesInFrame, removeFrame, resizeNode } from "./layout";
export { mergeDocument } from "./merge";
export { nodeOf } from "./nodes";

/** A port of a node, written "node.port". */
export interface Port {
  node: string;
  port: string;
}

/** What a person may make a node be: as if absent, or handing its input on. */
export type NodeState = "mute" | "bypass";

/** One placed instance of a node type. */
export interface GraphNode {
  type: string;
  inputs?: Record<string, Json>;
  state?: NodeState;
}

export type Tint = "gray" | "red" | "orange" | "green" | "blue" | "purple";

/** A titled rectangle behind nodes; `spot` is [x, y, width, height]. */
export interface Frame {
  title: string;
  spot: [number, number, number, number];
  tint?: Tint;
}

/** How the server draws a seed anew for each run. */
export type SeedMode = "random" | "increment";

/** Public names to "node.port". */
export interface Interface {
  inputs?: Record<string, string>;
  outputs?: Record<string, string>;
}

/** A graph as it is stored. Keys that this file does not know are kept as they are. */
export interface GraphDocument {
  version: number;
  name?: string;
  description?: string;
  nodes: Record<string, GraphNode>;
  interface?: Interface;
  /** [x, y], [x, y, width] or [x, y, width, height] by node. */
  layout?: Record<string, number[]>;
  frames?: Record<string, Frame>;
  seeds?: Record<string, SeedMode>;
}

/** The document format that this editor writes. */
export const VERSION = 1;

/** A graph without nodes. */
export function emptyDocument(name?: string): GraphDocument {
  return name ? { version: VERSION, name, nodes: {} } : { version: VERSION, nodes: {} };
}

/** An id that no node has: "sample", then "sample_2". */
export function freeId(doc: GraphDocument, wish: string): string {
  return freeName(asNodeId(wish), (id) => Object.hasOwn(doc.nodes, id));
}

/** A new node of a type, its top left corner at a place. */
export function addNode(
  doc: GraphDocument,
  type: NodeType,
  at: [number, number],
  inputs?: Record<string, Json>,
): { doc: GraphDocument; id: string } {
  const id = freeId(doc, idWish(type.id));
  const node: GraphNode = inputs && Object.keys(inputs).length ? { type: type.id, inputs } : { type: type.id };
  const layout = withEntry<number[]>(doc.layout, id, checkedSpot(id, [...at]));
  return { doc: { ...doc, nodes: withEntry(doc.nodes, id, node), layout }, id };
}

/** Without some nodes, and without everything that names them: links, public ports, seeds, places. */
export function removeNodes(doc: GraphDocument, ids: Iterable<string>): GraphDocument {
  const gone = new Set(ids);
  for (const id of gone) nodeOf(doc, id);
  if (gone.size === 0) return doc;
  const kept = without(doc.nodes, (id) => gone.has(id));
  const nodes = mapped(kept, (node) => relinked(node, (from, link) => (gone.has(from.node) ? undefined : link)));
  return withoutMentions({ ...doc, nodes }, gone);
}

/** As `removeNodes`, but links go on from what a removed node is linked from, where the types fit. */
export function removeAndHeal(doc: GraphDocument, catalog: Catalog, ids: Iterable<string>): GraphDocument {
  const gone = new Set(ids);
  const kinds = inferKinds(doc, catalog, NO_MODELS);
  let next = doc;
  for (const link of linksOf(doc)) {
    if (!gone.has(link.from.node) || gone.has(link.to.node)) continue;
    const from = sourceBehind(doc, catalog, gone, link.from);
    if (from === null || refusal(doc, catalog, kinds, from, link.to) !== null) continue;
    const value = inputValue(nodeOf(next, link.to.node), link.to.port);
    const items = Array.isArray(value) ? value.map((item, at) => (at === link.item ? writeLink(from) : item)) : null;
    next = setInput(next, link.to, items ?? writeLink(from));
  }
  return removeNodes(next, gone);
}

/** The output that is left in place of a removed node's: what it would hand on if it were bypassed. */
function sourceBehind(doc: GraphDocument, catalog: Catalog, gone: ReadonlySet<string>, link: Port): Port | null {
  const seen = new Set<string>();
  let at: Port | null = link;
  while (at !== null && gone.has(at.node)) {
    if (seen.has(at.node)) return null;
    seen.add(at.node);
    const node = nodeOf(doc, at.node);
    const type = typeOf(catalog, node.type);
    const output = outputOf(type, at.port);
    at = type && output ? readLink(handedOn(node, type, output.type)) : null;
  }
  return at;
}

/** The same graph with another id for a node, wherever it is named. */
export function renameNode(doc: GraphDocument, from: string, to: string): GraphDocument {
  nodeOf(doc, from);
  if (from === to) return doc;
  if (!isNodeId(to)) throw new EditError("edit.badId", { id: to });
  if (Object.hasOwn(doc.nodes, to)) throw new EditError("edit.takenId", { id: to });
  const id = (name: string) => (name === from ? to : name);
  const path = (text: string) => {
    const port = readPort(text);
    return port.node === from ? portPath({ ...port, node: to }) : text;
  };
  const nodes = mapped(doc.nodes, (node) =>
    relinked(node, (port, link) => (port.node === from ? writeLink({ ...port, node: to }) : link)),
  );
  let next: GraphDocument = { ...doc, nodes: renamed(nodes, id) };
  if (doc.layout) next = { ...next, layout: renamed(doc.layout, id) };
  if (doc.seeds) next = { ...next, seeds: renamed(doc.seeds, path) };
  if (doc.interface) next = { ...next, interface: mappedSides(doc.interface, path) };
  return next;
}

function mappedSides(shown: Interface, path: (text: string) => string): Interface {
  const next = { ...shown };
  if (shown.inputs) next.inputs = mapped(shown.inputs, path);
  if (shown.outputs) next.outputs = mapped(shown.outputs, path);
  return next;
}

/** Writes a value or a link into an input; `undefined` takes it back to its default. A linked input draws no seed. */
export function setInput(doc: GraphDocument, port: Port, value: Json | undefined): GraphDocument {
  const node = nodeOf(doc, port.node);
  const before = inputValue(node, port.port);
  if (sameJson(before, value)) return doc;
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new EditError("edit.badValue", { port: portPath(port) });
  }
  const inputs =
    value === undefined
      ? without(node.inputs ?? {}, (name) => name === port.port)
      : withEntry(node.inputs, port.port, value);
  const next = { ...doc, nodes: withEntry(doc.nodes, port.node, withInputs(node, inputs)) };
  return readLink(value) === null ? next : setSeedMode(next, port, null);
}

/**
 * Links an output to an input. An input that takes a list gets one item more, any other is replaced. Throws `EditError`
 * where the types cannot fit; kinds are for `refusal` to tell, which knows the models.
 */
export function connect(doc: GraphDocument, catalog: Catalog, from: Port, to: Port): GraphDocument {
  nodeOf(doc, from.node);
  nodeOf(doc, to.node);
  if (wouldCircle(doc, from, to)) throw new EditError("edit.circle", { from: portPath(from), to: portPath(to) });
  const kinds = inferKinds(doc, catalog, NO_MODELS);
  const why = refusal(doc, catalog, kinds, from, to);
  if (why?.reason === "unknown" || why?.reason === "direction") {
    const wrong = kinds.type(to, "in") === null ? to : from;
    throw new EditError("edit.unknownPort", { port: portPath(wrong) });
  }
  if (why !== null) throw new EditError("edit.refused", { wanted: why.wanted, given: why.given });
  return setInput(doc, to, valueWith(doc, catalog, kinds, from, to));
}

/**
 * Takes a link out; an input without any goes back to its default. With the catalogue, a list of which one link is left
 * is written as that link.
 */
export function disconnect(doc: GraphDocument, link: Link, catalog?: Catalog): GraphDocument {
  const node = nodeOf(doc, link.to.node);
  const found = linksTo(doc, link.to.node).find(
    (one) => one.to.port === link.to.port && one.item === link.item && portPath(one.from) === portPath(link.from),
  );
  if (found === undefined) return doc;
  const value = inputValue(node, link.to.port);
  if (!Array.isArray(value)) return setInput(doc, link.to, undefined);
  const left = value.filter((_, item) => item !== link.item);
  const [only] = left;
  if (only === undefined) return setInput(doc, link.to, undefined);
  const port = catalog && inputOf(typeOf(catalog, node.type), link.to.port);
  const alone = left.length === 1 && readLink(only) !== null && port !== undefined && takesList(port.type);
  return setInput(doc, link.to, alone ? only : left);
}

/** Mutes or bypasses nodes, or lets them run again. */
export function setNodeState(doc: GraphDocument, ids: Iterable<string>, state: NodeState | null): GraphDocument {
  const chosen = new Set(ids);
  for (const id of chosen) nodeOf(doc, id);
  const nodes = mapped(doc.nodes, (node, id) =>
    chosen.has(id) && (node.state ?? null) !== state ? withPart(node, "state", state ?? undefined) : node,
  );
  return nodes === doc.nodes ? doc : { ...doc, nodes };
}

/** How the server draws an input's seed for each run; null keeps it as it is. */
export function setSeedMode(doc: GraphDocument, port: Port, mode: SeedMode | null): GraphDocument {
  const path = portPath(port);
  nodeOf(doc, port.node);
  if ((entry(doc.seeds, path) ?? null) === mode) return doc;
  if (mode !== null) return { ...doc, seeds: withEntry(doc.seeds, path, mode) };
  const seeds = without(doc.seeds ?? {}, (name) => name === path);
  return withPart(doc, "seeds", seeds);
}

/** Names the graph; an empty name takes its name away. */
export function setName(doc: GraphDocument, name: string): GraphDocument {
  const next = name.trim();
  return (doc.name ?? "") === next ? doc : withPart(doc, "name", next || undefined);
}

/** Describes the graph; an empty text takes its description away. */
export function setDescription(doc: GraphDocument, text: string): GraphDocument {
  const next = text.trim();
  return (doc.description ?? "") === next ? doc : withPart(doc, "description", next || undefined);
}
