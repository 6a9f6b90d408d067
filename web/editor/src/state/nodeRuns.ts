import type { GraphDocument } from "../graph/document";
import { readPort } from "../graph/names";
import type { Artifact, Fault, Run } from "./api";
import type { ServerEvent } from "./events";

/** What a node does in the run that is shown. `preview` is a blob: URL. */
export interface NodeRun {
  state: "waiting" | "running" | "done" | "reused" | "failed" | "skipped" | "cancelled";
  done?: number;
  total?: number | null;
  seconds?: number;
  preview?: string;
  messages: string[];
  error?: Fault;
  /** The failed node that a skipped one waited for. */
  because?: string;
  pictures: Artifact[];
}

export type NodeRuns = Record<string, NodeRun>;

const FRESH: NodeRun = { state: "waiting", messages: [], pictures: [] };

/** What the nodes do after an event. Events that say nothing of nodes give the same object. */
export function heard(nodes: NodeRuns, event: ServerEvent, preview?: string): NodeRuns {
  switch (event.event) {
    case "run_queued":
    case "run_started":
      return {};
    case "plan_started":
      return Object.fromEntries((event.nodes ?? []).map((id) => [outer(id), FRESH]));
    case "run_finished":
      return settled(nodes, event.state);
    default:
      return event.node === undefined ? nodes : changed(nodes, event.node, event, preview);
  }
}

function changed(nodes: NodeRuns, path: string, event: ServerEvent, preview?: string): NodeRuns {
  const id = outer(path);
  const node = nodes[id] ?? FRESH;
  const inner = path !== id;
  const next = inner ? ofInner(node, event, preview) : ofNode(node, event, preview);
  return next === node ? nodes : { ...nodes, [id]: next };
}

function ofNode(node: NodeRun, event: ServerEvent, preview?: string): NodeRun {
  switch (event.event) {
    case "node_started":
      return { ...FRESH, state: "running" };
    case "node_progress":
      return { ...node, state: "running", done: event.done ?? 0, total: event.total ?? null };
    case "node_preview":
      return preview === undefined ? node : { ...node, preview };
    case "node_message":
      return { ...node, messages: [...node.messages, event.text ?? ""] };
    case "node_reused":
      return { ...node, state: "reused" };
    case "node_finished":
      return { ...node, state: "done", seconds: event.seconds ?? 0 };
    case "node_failed":
      return event.error ? { ...node, state: "failed", error: event.error } : { ...node, state: "failed" };
    case "node_skipped":
      return { ...node, state: "skipped", because: event.because ?? "" };
    default:
      return node;
  }
}

/** A node of a graph inside a node: its progress and its words are the outer node's, its end is not. */
function ofInner(node: NodeRun, event: ServerEvent, preview?: string): NodeRun {
  switch (event.event) {
    case "node_progress":
    case "node_preview":
    case "node_message":
      return ofNode(node, event, preview);
    default:
      return node;
  }
}

const ENDS: Record<string, NodeRun["state"]> = { done: "done", cancelled: "cancelled" };

/** After the end nothing waits or runs. */
function settled(nodes: NodeRuns, state = "failed"): NodeRuns {
  const live = Object.entries(nodes).filter(([, node]) => node.state === "waiting" || node.state === "running");
  if (live.length === 0) {
    return nodes;
  }
  const ended = live.map(([id, node]): [string, NodeRun] => [id, { ...node, state: ENDS[state] ?? "skipped" }]);
  return { ...nodes, ...Object.fromEntries(ended) };
}

/** What the nodes do, with the pictures that they had before where they have none yet. */
export function withPictures(nodes: NodeRuns, before: NodeRuns): NodeRuns {
  const begun = Object.keys(nodes).length > 0;
  const kept = Object.entries(before).filter(
    ([id, { pictures }]) => pictures.length > 0 && (begun ? nodes[id]?.pictures.length === 0 : true),
  );
  if (kept.length === 0) {
    return nodes;
  }
  const shown = kept.map(([id, { pictures }]): [string, NodeRun] => [id, { ...(nodes[id] ?? FRESH), pictures }]);
  return { ...nodes, ...Object.fromEntries(shown) };
}

/**
 * What the nodes did, with what the stored run says: its pictures at the nodes that made them, and the failed node.
 * Works without any event too, as for a run of an earlier session.
 */
export function withResults(nodes: NodeRuns, run: Run, doc: GraphDocument): NodeRuns {
  const found: NodeRuns = { ...settled(nodes, run.state) };
  const told = new Set<string>();
  for (const [name, value] of Object.entries(run.outputs)) {
    const path = doc.interface?.outputs?.[name];
    const pictures = artifactsIn(value);
    if (path !== undefined && pictures.length > 0) {
      give(found, readPort(path).node, pictures);
    }
    for (const { file } of pictures) {
      told.add(file);
    }
  }
  for (const [id, files] of filesOfSavers(
    doc,
    run.files.filter(({ file }) => !told.has(file)),
  )) {
    give(found, id, files);
  }
  const failed = run.error === null ? "" : outer(readPort(run.error.at).node);
  if (run.error !== null && Object.hasOwn(doc.nodes, failed)) {
    found[failed] = { ...(found[failed] ?? FRESH), state: "failed", error: run.error };
  }
  return found;
}

/** The node types that write pictures, videos and sounds. */
const SAVERS = new Set(["SaveImage", "SaveVideo", "SaveSound"]);

/** Which node saved which file: the name that the node was given, or the only node that saves. */
function filesOfSavers(doc: GraphDocument, files: Artifact[]): [string, Artifact[]][] {
  const savers = Object.entries(doc.nodes).filter(([, node]) => SAVERS.has(node.type));
  const only = savers.length === 1;
  const found = savers.map(([id, node]): [string, Artifact[]] => {
    const name = node.inputs?.name;
    const own = (file: string) => typeof name === "string" && file.replace(/-\d+\.\w+$/, "") === name;
    return [id, files.filter(({ file }) => only || own(file))];
  });
  return found.filter(([, own]) => own.length > 0);
}

function give(nodes: NodeRuns, id: string, pictures: Artifact[]): void {
  nodes[id] = { ...(nodes[id] ?? { ...FRESH, state: "done" }), pictures };
}

/** The files of an output; none where it is a plain value. */
export function artifactsIn(value: unknown): Artifact[] {
  const items: unknown[] = Array.isArray(value) ? value : [];
  return items.filter(isArtifact);
}

function isArtifact(item: unknown): item is Artifact {
  return typeof item === "object" && item !== null && "digest" in item && "file" in item;
}

/** "up/sample" is inside the node "up". */
function outer(path: string): string {
  return path.split("/", 1)[0] ?? path;
}

/** The share of a run that is done, from 0 to 1: each node counts alike. Null while nothing is known. */
export function shareDone(nodes: NodeRuns): number | null {
  const all = Object.values(nodes);
  if (all.length === 0) {
    return null;
  }
  const done = all.map((node) => {
    if (node.state === "waiting") {
      return 0;
    }
    return node.state === "running" ? (node.total ? Math.min(1, (node.done ?? 0) / node.total) : 0) : 1;
  });
  return done.reduce((sum: number, part) => sum + part, 0) / all.length;
}
