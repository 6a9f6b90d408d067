import { type Catalog, type NodeType, typeOf } from "../graph/catalog";
import { connect, disconnect, type GraphDocument, type Port } from "../graph/document";
import { inferKinds, type KnownModel } from "../graph/kinds";
import { type Link, linkedInputs, linksOf, linksTo, type Refusal, refusal } from "../graph/links";
import { portPath } from "../graph/names";
import { holds, type Point } from "./rect";
import { type Boxes, portAt } from "./scene";
import type { Pending, Target } from "./store";

/** What refusals are decided by. */
export interface Known {
  types: Catalog;
  models: readonly KnownModel[];
}

/** Pixels around a port in which a link that is let go finds it. */
const SNAP = 26;

/**
 * A link that begins at a port. One that begins at a linked input takes the link's other end along: it pulls the link
 * off. A list gives its last one.
 */
export function begin(doc: GraphDocument, port: Port, side: "in" | "out"): Pending {
  const taken = side === "in" ? (linksInto(doc, port).at(-1) ?? null) : null;
  return taken === null
    ? { from: port, side, taken: null, base: doc }
    : { from: taken.from, side: "out", taken, base: disconnect(doc, taken) };
}

/** The links into an input: none, one, or the items of a list. */
export function linksInto(doc: GraphDocument, port: Port): Link[] {
  return linksTo(doc, port.node).filter(({ to }) => to.port === port.port);
}

const outgoing = new WeakMap<GraphDocument["nodes"], Map<string, Link[]>>();

/** The links out of an output. */
export function linksFrom(doc: GraphDocument, port: Port): readonly Link[] {
  let byPort = outgoing.get(doc.nodes);
  if (byPort === undefined) {
    byPort = new Map();
    for (const link of linksOf(doc)) {
      const path = portPath(link.from);
      byPort.set(path, [...(byPort.get(path) ?? []), link]);
    }
    outgoing.set(doc.nodes, byPort);
  }
  return byPort.get(portPath(port)) ?? [];
}

const answers = new WeakMap<Pending, Map<string, Refusal | null>>();

/** Why a pending link cannot end at a port on the other side; null where it can. Remembered for the link's life. */
export function whyNot(pending: Pending, known: Known, port: Port): Refusal | null {
  let told = answers.get(pending);
  if (told === undefined) {
    told = new Map();
    answers.set(pending, told);
  }
  const path = portPath(port);
  let answer = told.get(path);
  if (answer === undefined) {
    const kinds = inferKinds(pending.base, known.types, known.models);
    const [from, to] = pending.side === "out" ? [pending.from, port] : [port, pending.from];
    answer = refusal(pending.base, known.types, kinds, from, to);
    told.set(path, answer);
  }
  return answer;
}

/** The ports of a node that a pending link could end at, by side alone. */
export function endsOf(pending: Pending, node: string, type: NodeType | undefined): Port[] {
  const ports = pending.side === "out" ? type?.inputs : type?.outputs;
  return (ports ?? []).map(({ name }) => ({ node, port: name }));
}

/** What a pending link is over: the nearest port within reach, else the node under the pointer. Null for empty space. */
export function targetAt(pending: Pending, known: Known, boxes: Boxes, point: Point, zoom: number): Target | null {
  const side = pending.side === "out" ? "in" : "out";
  const reach = SNAP / zoom;
  let nearest: { port: Port; distance: number } | null = null;
  let body: string | null = null;
  for (const [node, placed] of boxes) {
    const wide = {
      x: placed.x - reach,
      y: placed.y - reach,
      width: placed.width + 2 * reach,
      height: placed.height + 2 * reach,
    };
    if (!holds(wide, point)) continue;
    if (holds(placed, point)) body = node;
    for (const port of endsOf(pending, node, typeOf(known.types, pending.base.nodes[node]?.type ?? ""))) {
      const at = portAt(boxes, port, side);
      const distance = at === null ? Number.POSITIVE_INFINITY : Math.hypot(at.x - point.x, at.y - point.y);
      if (distance < (nearest?.distance ?? reach)) nearest = { port, distance };
    }
  }
  if (nearest !== null) {
    const { port } = nearest;
    return { node: port.node, port, refusal: whyNot(pending, known, port) };
  }
  return body === null ? null : bodyTarget(pending, known, body);
}

/** The port that a link dropped on a node's body takes: the first free one that fits. */
function bodyTarget(pending: Pending, known: Known, node: string): Target | null {
  if (node === pending.from.node) return null;
  const ends = endsOf(pending, node, typeOf(known.types, pending.base.nodes[node]?.type ?? ""));
  const taken = linkedInputs(pending.base, node);
  const free = pending.side === "in" ? ends : ends.filter(({ port }) => !taken.has(port));
  const port = free.find((end) => whyNot(pending, known, end) === null) ?? null;
  const reason =
    port === null ? (free.map((end) => whyNot(pending, known, end)).find((why) => why !== null) ?? null) : null;
  return { node, port, refusal: port === null ? (reason ?? { reason: "direction", wanted: "", given: "" }) : null };
}

/** The document with a pending link let go at a port. */
export function dropped(doc: GraphDocument, types: Catalog, pending: Pending, port: Port): GraphDocument {
  const [from, to] = pending.side === "out" ? [pending.from, port] : [port, pending.from];
  const { taken } = pending;
  if (taken !== null && taken.to.node === to.node && taken.to.port === to.port) return doc;
  return connect(taken === null ? doc : disconnect(doc, taken, types), types, from, to);
}
