import { type Catalog, type Json, outputOf, typeOf } from "./catalog";
import { type GraphDocument, type Port, VERSION } from "./document";
import { EditError } from "./errors";
import { nodesInFrame, placeOf } from "./layout";
import { mergeDocument } from "./merge";
import { isNodeId, readPort } from "./names";
import { nodeOf, relinked } from "./nodes";
import { entry, mapped } from "./records";

/** Of the format of copied nodes. */
const COPY_VERSION = 1;

type JsonObject = { [key: string]: Json };

/**
 * Some nodes as JSON text: with their links, also those from other nodes, their places and seeds, and the frames that
 * hold nothing but them.
 */
export function copyText(doc: GraphDocument, ids: Iterable<string>): string {
  const chosen = new Set(ids);
  const nodes = Object.entries(doc.nodes).filter(([id]) => chosen.has(id));
  for (const id of chosen) nodeOf(doc, id);
  const layout = nodes.map(([id]) => [id, entry(doc.layout, id) ?? placeOf(doc, id)]);
  const frames = Object.entries(doc.frames ?? {}).filter(([id]) => {
    const inside = nodesInFrame(doc, id);
    return inside.length > 0 && inside.every((node) => chosen.has(node));
  });
  const seeds = Object.entries(doc.seeds ?? {}).filter(([path]) => chosen.has(readPort(path).node));
  const parts = {
    patchbay: COPY_VERSION,
    nodes: Object.fromEntries(nodes),
    layout: Object.fromEntries(layout),
    ...(frames.length ? { frames: Object.fromEntries(frames) } : {}),
    ...(seeds.length ? { seeds: Object.fromEntries(seeds) } : {}),
  };
  return JSON.stringify(parts, null, 2);
}

/**
 * A document with copied nodes, or with the nodes of a whole graph, their top left corner at a place; their new ids.
 * Links from nodes that were not copied stay with `keepOutside` where this document has such an output, and go
 * otherwise. Throws `EditError` for any other text; nothing has changed then.
 */
export function pasteText(
  doc: GraphDocument,
  catalog: Catalog,
  text: string,
  at: [number, number],
  keepOutside: boolean,
): { doc: GraphDocument; ids: string[] } {
  const copied = readParts(parse(text));
  const stays = (from: Port) => {
    if (entry(copied.nodes, from.node) !== undefined) return true;
    const node = keepOutside ? entry(doc.nodes, from.node) : undefined;
    const type = node && typeOf(catalog, node.type);
    return node !== undefined && (type === undefined || outputOf(type, from.port) !== undefined);
  };
  const nodes = mapped(copied.nodes, (node) => relinked(node, (from, link) => (stays(from) ? link : undefined)));
  const [left, top] = corner(copied);
  return mergeDocument(doc, { ...copied, nodes }, [at[0] - left, at[1] - top]);
}

function corner(doc: GraphDocument): [number, number] {
  const spots = [
    ...Object.keys(doc.nodes).map((id) => placeOf(doc, id)),
    ...Object.values(doc.frames ?? {}).map((frame) => frame.spot),
  ];
  const least = (side: 0 | 1) => spots.reduce((low, spot) => Math.min(low, spot[side]), Number.POSITIVE_INFINITY);
  return spots.length ? [least(0), least(1)] : [0, 0];
}

/** A graph document from JSON text, as it is written there. Throws `EditError` for a text that is none. */
export function readDocument(text: string): GraphDocument {
  const data = parse(text);
  if (!isObject(data) || "patchbay" in data) throw new EditError("edit.notGraph");
  return readParts(data);
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new EditError("edit.brokenJson");
  }
}

/** What the server checks in full is checked here as far as the editor relies on it. */
function readParts(data: Json): GraphDocument {
  if (!isObject(data) || !isObject(data.nodes ?? null)) throw new EditError("edit.notGraph");
  const version = data.patchbay ?? data.version ?? VERSION;
  const newest = "patchbay" in data ? COPY_VERSION : VERSION;
  if (!Number.isInteger(version) || (version as number) < 1) throw new EditError("edit.notGraph");
  if ((version as number) > newest) throw new EditError("edit.newerVersion", { version: version as number });
  const { patchbay: _, ...rest } = data;
  const fine =
    isRecord(data.nodes, isNode) &&
    Object.keys(data.nodes as JsonObject).every(isNodeId) &&
    isRecord(data.layout, isSpot) &&
    isRecord(data.frames, isFrame) &&
    isRecord(data.seeds, (mode) => mode === "random" || mode === "increment") &&
    isInterface(data.interface);
  if (!fine) throw new EditError("edit.notGraph");
  return { version: VERSION, ...rest } as unknown as GraphDocument;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isRecord(value: Json | undefined, isValue: (value: Json) => boolean): boolean {
  return value === undefined || (isObject(value) && Object.values(value).every(isValue));
}

function isNode(value: Json): boolean {
  if (!isObject(value) || typeof value.type !== "string") return false;
  const state = value.state ?? null;
  return (
    (state === null || state === "mute" || state === "bypass") && (value.inputs === undefined || isObject(value.inputs))
  );
}

function isSpot(value: Json): boolean {
  if (!Array.isArray(value) || value.length < 2 || value.length > 4) return false;
  return value.every((number, place) => typeof number === "number" && (place < 2 || number > 0));
}

function isFrame(value: Json): boolean {
  return (
    isObject(value) &&
    typeof value.title === "string" &&
    isSpot(value.spot ?? null) &&
    (value.spot as Json[]).length === 4
  );
}

function isInterface(value: Json | undefined): boolean {
  if (value === undefined) return true;
  const isPath = (path: Json) => typeof path === "string";
  return isObject(value) && isRecord(value.inputs, isPath) && isRecord(value.outputs, isPath);
}
