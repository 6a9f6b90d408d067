import { type Catalog, type InputPort, inputOf, type Json, outputOf, typeOf } from "./catalog";
import type { GraphDocument, GraphNode, Port } from "./document";
import { Inference, type Misfit } from "./inference";
import { inferenceOf, type Kinds } from "./kinds";
import { portPath, readLink, writeLink } from "./names";
import { inputValue } from "./nodes";
import { takesList } from "./ports";
import { entry } from "./records";
import { Bindings, fits, kindsClash, typeLabel } from "./types";

export { readLink } from "./names";

/** From an output to an input; `item` is its place where the input is written as a list. */
export interface Link {
  from: Port;
  to: Port;
  item: number | null;
}

/** Why a link cannot be. `wanted` and `given` are type labels, "" where there is none. */
export interface Refusal {
  reason: "type" | "kind" | "circle" | "direction" | "unknown";
  wanted: string;
  given: string;
  /** The input that would not fit any more, where it is not the one that is linked. */
  at?: Port;
}

const linksByNode = new WeakMap<GraphNode, { id: string; links: readonly Link[] }>();
const linksByNodes = new WeakMap<GraphDocument["nodes"], readonly Link[]>();

/** All links of a document, by the order of nodes and inputs. Cached; a link that stayed is the same object. */
export function linksOf(doc: GraphDocument): readonly Link[] {
  let found = linksByNodes.get(doc.nodes);
  if (found === undefined) {
    found = Object.entries(doc.nodes).flatMap(([id, node]) => linksInto(id, node));
    linksByNodes.set(doc.nodes, found);
  }
  return found;
}

function linksInto(id: string, node: GraphNode): readonly Link[] {
  const known = linksByNode.get(node);
  if (known?.id === id) return known.links;
  const links = Object.entries(node.inputs ?? {}).flatMap(([port, value]) => linksIn({ node: id, port }, value));
  linksByNode.set(node, { id, links });
  return links;
}

function linksIn(to: Port, value: Json): Link[] {
  if (!Array.isArray(value)) {
    const from = readLink(value);
    return from === null ? [] : [{ from, to, item: null }];
  }
  return value.flatMap((part, item) => {
    const from = readLink(part);
    return from === null ? [] : [{ from, to, item }];
  });
}

/** The links into one node. */
export function linksTo(doc: GraphDocument, id: string): readonly Link[] {
  const node = entry(doc.nodes, id);
  return node === undefined ? [] : linksInto(id, node);
}

/** Names of a node's inputs that are linked, with items of lists. */
export function linkedInputs(doc: GraphDocument, id: string): ReadonlySet<string> {
  return new Set(linksTo(doc, id).map((link) => link.to.port));
}

/** A text that no other link of the document has: "from.port>to.port" and the item. */
export function linkId(link: Link): string {
  const item = link.item === null ? "" : `[${link.item}]`;
  return `${portPath(link.from)}>${portPath(link.to)}${item}`;
}

interface Ways {
  up: Map<string, string[]>;
  down: Map<string, string[]>;
  above: Map<string, ReadonlySet<string>>;
  below: Map<string, ReadonlySet<string>>;
}

const waysByNodes = new WeakMap<GraphDocument["nodes"], Ways>();

function waysOf(doc: GraphDocument): Ways {
  let ways = waysByNodes.get(doc.nodes);
  if (ways === undefined) {
    ways = { up: new Map(), down: new Map(), above: new Map(), below: new Map() };
    for (const { from, to } of linksOf(doc)) {
      push(ways.up, to.node, from.node);
      push(ways.down, from.node, to.node);
    }
    waysByNodes.set(doc.nodes, ways);
  }
  return ways;
}

function push(map: Map<string, string[]>, key: string, value: string): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function reached(start: string, ways: ReadonlyMap<string, string[]>): ReadonlySet<string> {
  const found = new Set([start]);
  for (const id of found) for (const next of ways.get(id) ?? []) found.add(next);
  return found;
}

/** Nodes that a node depends on, itself included. */
export function upstreamOf(doc: GraphDocument, id: string): ReadonlySet<string> {
  const ways = waysOf(doc);
  const found = ways.above.get(id) ?? reached(id, ways.up);
  ways.above.set(id, found);
  return found;
}

/** Nodes that depend on a node, itself included. */
export function downstreamOf(doc: GraphDocument, id: string): ReadonlySet<string> {
  const ways = waysOf(doc);
  const found = ways.below.get(id) ?? reached(id, ways.down);
  ways.below.set(id, found);
  return found;
}

/** Whether a link would make nodes wait for each other. Fast for many ends of one link, whichever end is held. */
export function wouldCircle(doc: GraphDocument, from: Port, to: Port): boolean {
  const { above, below } = waysOf(doc);
  const known = above.get(from.node)?.has(to.node) ?? below.get(to.node)?.has(from.node);
  if (known !== undefined) return known;
  downstreamOf(doc, to.node);
  return upstreamOf(doc, from.node).has(to.node);
}

/**
 * What an input is given when an output is linked to it: the link alone, or one item more where a list is written
 * already and single things are linked.
 */
export function valueWith(doc: GraphDocument, catalog: Catalog, kinds: Kinds | null, from: Port, to: Port): Json {
  const { inference } = inferenceOf(doc, catalog, kinds);
  const link = writeLink(from);
  const port = inputOf(typeAt(doc, catalog, to.node), to.port);
  const value = inputValue(entry(doc.nodes, to.node), to.port);
  if (port === undefined || value === undefined || value === null || !takesList(port.type)) return link;
  const whole = (source: Port | null) => source !== null && inference.type(source, "out")?.is === "list";
  const items = Array.isArray(value) ? value : readLink(value) === null ? [] : [value];
  return items.length === 0 || whole(from) || whole(readLink(value)) ? link : [...items, link];
}

/**
 * Why an output may not be linked to an input, or null. Says what the server's check would: what it would find wrong
 * with the linked document and does not find wrong with this one.
 */
export function refusal(doc: GraphDocument, catalog: Catalog, kinds: Kinds, from: Port, to: Port): Refusal | null {
  const giver = typeAt(doc, catalog, from.node);
  const taker = typeAt(doc, catalog, to.node);
  const output = outputOf(giver, from.port);
  const input = inputOf(taker, to.port);
  if (output === undefined || input === undefined) {
    const turned = (!output && giver && inputOf(giver, from.port)) || (!input && taker && outputOf(taker, to.port));
    return { reason: turned ? "direction" : "unknown", wanted: input?.label ?? "", given: output?.label ?? "" };
  }
  if (wouldCircle(doc, from, to)) {
    return { reason: "circle", wanted: kinds.label(to, "in"), given: kinds.label(from, "out") };
  }
  const { inference, kindOf } = inferenceOf(doc, catalog, kinds);
  const raw = valueWith(doc, catalog, kinds, from, to);
  const alone = loneMisfit(inference, from, to, input, Array.isArray(raw));
  if (alone !== null) return alone;
  if (inference.checks(to.node) && !taker?.relay) {
    const misfit = inference.judge(to, raw);
    if (misfit === null || !takesPlace(doc, to, raw)) return misfit && refused(misfit, to);
    const inPlace = misfit.clash ? inference.judgeInPlace(to, raw) : null;
    if (inPlace !== null) return refused(inPlace, to);
  }
  // What the new link takes the place of still counts above, a muted node's links do not, and those of a relay lead
  // elsewhere now: ask for the whole.
  const part = connected(doc, from.node, to, raw);
  const found = new Inference(part, catalog, kindOf).misfits;
  const fresh =
    [...found].find(([path]) => path === portPath(to)) ?? [...found].find(([path]) => !inference.misfits.has(path));
  return fresh === undefined ? null : refused(fresh[1], to);
}

function typeAt(doc: GraphDocument, catalog: Catalog, id: string) {
  const node = entry(doc.nodes, id);
  return node && typeOf(catalog, node.type);
}

/** Why the types do not fit, whatever else is linked. */
function loneMisfit(inference: Inference, from: Port, to: Port, input: InputPort, list: boolean): Refusal | null {
  const given = inference.type(from, "out");
  if (given === null) return null;
  const how = fits(list ? { is: "list", item: given } : given, input.type, new Bindings());
  if (how !== null && !(how === "map" && input.lazy)) return null;
  const wanted = inference.type(to, "in") ?? input.type;
  const reason = kindsClash(given, wanted) ? "kind" : "type";
  return { reason, wanted: typeLabel(wanted), given: typeLabel(given) };
}

function takesPlace(doc: GraphDocument, to: Port, raw: Json): boolean {
  return inputValue(entry(doc.nodes, to.node), to.port) !== undefined && !Array.isArray(raw);
}

function refused(misfit: Misfit, to: Port): Refusal {
  const { at, clash, wanted, given } = misfit;
  const reason = clash ? "kind" : "type";
  return portPath(at) === portPath(to) ? { reason, wanted, given } : { reason, wanted, given, at };
}

/** The nodes that hang together with a new link, in the document's order, and the link among them. */
function connected(doc: GraphDocument, from: string, to: Port, raw: Json): GraphDocument["nodes"] {
  const { up, down } = waysOf(doc);
  const found = new Set([from, to.node]);
  for (const id of found) for (const next of [...(up.get(id) ?? []), ...(down.get(id) ?? [])]) found.add(next);
  const nodes = Object.entries(doc.nodes).filter(([id]) => found.has(id));
  return Object.fromEntries(
    nodes.map(([id, node]) =>
      id === to.node ? [id, { ...node, inputs: { ...node.inputs, [to.port]: raw } }] : [id, node],
    ),
  );
}
