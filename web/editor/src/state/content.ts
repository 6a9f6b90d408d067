import type { Json } from "../graph/catalog";
import type { GraphDocument } from "../graph/document";

/**
 * A document's content as one text: equal for two documents that mean the same, whatever the order of keys and whether
 * empty parts are written or left out. The server writes graphs its own way; this tells whether it has what we sent.
 */
export function contentOf(doc: GraphDocument): string {
  return JSON.stringify(ordered(doc as unknown as Json)) ?? "";
}

/** Whether two documents mean the same. */
export function sameContent(one: GraphDocument, other: GraphDocument): boolean {
  return one === other || contentOf(one) === contentOf(other);
}

/** A short mark of a content, 53 bits long: enough to know one's own again, not to keep others out. */
export function markOf(doc: GraphDocument): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (const char of contentOf(doc)) {
    const code = char.codePointAt(0) ?? 0;
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return (4294967296 * (2097151 & low) + (high >>> 0)).toString(36);
}

/** Down to here (document, its parts, nodes, their inputs) an empty part means the same as none; a value never does. */
const PARTS = 3;

function ordered(value: Json, depth = 0): Json | undefined {
  if (Array.isArray(value)) {
    return value.map((item) => ordered(item, PARTS + 1) ?? null);
  }
  if (value === null || typeof value !== "object") {
    return depth === 1 && value === "" ? undefined : value;
  }
  const found: { [key: string]: Json } = {};
  for (const key of Object.keys(value).sort()) {
    const item = value[key];
    const inner = item === undefined ? undefined : ordered(item, depth + 1);
    if (inner !== undefined) {
      found[key] = inner;
    }
  }
  return depth > 0 && depth <= PARTS && Object.keys(found).length === 0 ? undefined : found;
}
