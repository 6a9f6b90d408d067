import type { Json } from "./catalog";
import type { Frame, GraphDocument, GraphNode, Port } from "./document";
import { checkedSpot, movedFrame, placeOf } from "./layout";
import { asNodeId, freeName, portPath, readPort, writeLink } from "./names";
import { relinked } from "./nodes";
import { entry } from "./records";

/**
 * A document with another one's nodes, frames and seeds in it, moved by an offset. Nodes whose ids are taken get free
 * ones, links among them follow, and links to nodes that the other document does not have are kept as they are.
 */
export function mergeDocument(
  doc: GraphDocument,
  other: GraphDocument,
  offset: [number, number] = [0, 0],
): { doc: GraphDocument; ids: string[] } {
  const ids = newNames(Object.keys(other.nodes), doc.nodes);
  if (ids.size === 0 && Object.keys(other.frames ?? {}).length === 0) return { doc, ids: [] };
  const newId = (id: string) => ids.get(id) ?? id;
  const change = (from: Port, link: Json) =>
    ids.has(from.node) ? writeLink({ ...from, node: newId(from.node) }) : link;
  const nodes = Object.entries(other.nodes).map(([id, node]): [string, GraphNode] => [
    newId(id),
    relinked(node, change),
  ]);
  const next: GraphDocument = { ...doc, nodes: { ...doc.nodes, ...Object.fromEntries(nodes) } };
  addLayout(next, other, newId, offset);
  addFrames(next, other, offset);
  const seeds = Object.entries(other.seeds ?? {}).flatMap(([path, mode]): [string, typeof mode][] => {
    const port = readPort(path);
    return ids.has(port.node) ? [[portPath({ ...port, node: newId(port.node) }), mode]] : [];
  });
  if (seeds.length) next.seeds = { ...doc.seeds, ...Object.fromEntries(seeds) };
  return { doc: next, ids: [...ids.values()] };
}

function newNames(names: readonly string[], taken: Readonly<Record<string, unknown>>): Map<string, string> {
  const found = new Map<string, string>();
  const used = new Set<string>();
  for (const name of names) {
    const free = freeName(asNodeId(name), (wish) => Object.hasOwn(taken, wish) || used.has(wish));
    used.add(free);
    found.set(name, free);
  }
  return found;
}

function addLayout(
  next: GraphDocument,
  other: GraphDocument,
  newId: (id: string) => string,
  [dx, dy]: [number, number],
) {
  const spots = Object.keys(other.nodes).map((id): [string, number[]] => {
    const [x, y] = placeOf(other, id);
    const size = (entry(other.layout, id) ?? []).slice(2);
    return [newId(id), checkedSpot(id, [x + dx, y + dy, ...size])];
  });
  if (spots.length) next.layout = { ...next.layout, ...Object.fromEntries(spots) };
}

function addFrames(next: GraphDocument, other: GraphDocument, [dx, dy]: [number, number]) {
  const names = newNames(Object.keys(other.frames ?? {}), next.frames ?? {});
  const frames = Object.entries(other.frames ?? {}).map(([id, frame]): [string, Frame] => [
    names.get(id) ?? id,
    movedFrame(id, frame, dx, dy),
  ]);
  if (frames.length) next.frames = { ...next.frames, ...Object.fromEntries(frames) };
}
