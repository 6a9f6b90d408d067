import type { GraphDocument } from "../graph/document";

/**
 * What the server has not confirmed yet, kept in this browser. Each page writes under a key of its own, so that two
 * tabs never take each other's; whoever opens the graph next finds them all.
 */
export interface Draft {
  key: string;
  /** The graph's name on the server. */
  name: string;
  document: GraphDocument;
  /** The ETag that the edits started from; null for a graph that was never saved. */
  base: string | null;
  /** The mark of what was sent and not answered: if the server has that, the edits are based on it. */
  sent: string | null;
  /** When it was written, in milliseconds. */
  at: number;
}

const PREFIX = "patchbay.draft.";
const PAGE = randomId();
let last = 0;

/** Where a graph that this page opens keeps its draft. */
export function draftKey(name: string): string {
  last += 1;
  return `${PREFIX}${name}.${PAGE}.${last}`;
}

/** Keep a draft. Its length, or null when the browser has no room or no storage for it. */
export function keepDraft(draft: Draft): number | null {
  const { key, ...content } = draft;
  const text = JSON.stringify(content);
  try {
    localStorage.setItem(key, text);
    return text.length;
  } catch {
    return null;
  }
}

/** Forget drafts. One that was written again since it was read stays. */
export function dropDrafts(drafts: readonly Pick<Draft, "key" | "at">[]): void {
  for (const { key, at } of drafts) {
    if (readDraft(key)?.at === at) {
      localStorage.removeItem(key);
    }
  }
}

/** Forget what is kept under a key. */
export function dropDraft(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    // without storage there is nothing to forget
  }
}

/** The drafts of a graph, newest first. What cannot be read is left out, and stays where it is. */
export function draftsOf(name: string): Draft[] {
  const found: Draft[] = [];
  for (const key of keys()) {
    const draft = key.startsWith(`${PREFIX}${name}.`) ? readDraft(key) : null;
    if (draft !== null && draft.name === name) {
      found.push(draft);
    }
  }
  return found.sort((one, other) => other.at - one.at);
}

/** A random id, also where the page is not served securely. */
export function randomId(): string {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join("");
}

function keys(): string[] {
  try {
    return Object.keys(localStorage);
  } catch {
    return [];
  }
}

function readDraft(key: string): Draft | null {
  try {
    const found = JSON.parse(localStorage.getItem(key) ?? "null");
    const whole = typeof found?.name === "string" && typeof found.at === "number" && found.document?.nodes;
    return whole ? { ...found, key, base: found.base ?? null, sent: found.sent ?? null } : null;
  } catch {
    return null;
  }
}
