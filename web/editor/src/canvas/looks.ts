import { create } from "zustand";
import type { Artifact, Fault } from "../state/api";
import { type NodeRun, useRuns } from "../state/runs";

/** What a node shows below its ports. It decides the node's size; progress does not. */
export interface NodeLook {
  pictures: readonly Artifact[];
  preview: string | null;
  /** The pictures are of the run before: the new ones are still being made. */
  stale: boolean;
  messages: readonly string[];
  error: Fault | null;
  /** Height over width of the pictures together; null for none. */
  ratio: number | null;
}

export type Looks = Readonly<Record<string, NodeLook>>;

const MOST_MESSAGES = 3;
const MOST_PICTURES = 9;
const ERROR_ROWS = 2;

interface LooksStore {
  looks: Looks;
  /** Height over width of the previews, by node; a preview does not say its size before it is loaded. */
  ratios: Readonly<Record<string, number>>;
}

export const useLooks = create<LooksStore>(() => ({ looks: {}, ratios: {} }));

/** How many rows of text a look takes. */
export function messageRows(look: NodeLook): number {
  return look.messages.length + (look.error === null ? 0 : ERROR_ROWS);
}

/** How many columns some pictures are shown in. */
export function columnsOf(count: number): number {
  return Math.ceil(Math.sqrt(count));
}

/** Height over width of equal pictures in rows and columns. */
export function ratioOf(pictures: readonly Artifact[]): number | null {
  const first = pictures[0];
  if (first === undefined) return null;
  const columns = columnsOf(pictures.length);
  const one = first.width && first.height ? first.height / first.width : 1;
  return (one * Math.ceil(pictures.length / columns)) / columns;
}

/** The looks of a run's nodes. Those that stay equal stay the same objects, and so does the whole. */
export function nextLooks(
  before: Looks,
  runs: Readonly<Record<string, NodeRun>>,
  ratios: Readonly<Record<string, number>>,
): Looks {
  const looks: Record<string, NodeLook> = {};
  let changed = Object.keys(before).length !== Object.keys(runs).length;
  for (const [id, run] of Object.entries(runs)) {
    const look = nextLook(before[id], run, ratios[id] ?? 1);
    changed ||= look !== before[id];
    looks[id] = look;
  }
  return changed ? looks : before;
}

function nextLook(before: NodeLook | undefined, run: NodeRun, previewRatio: number): NodeLook {
  const busy = run.state === "waiting" || run.state === "running";
  const pictures = run.pictures.slice(0, MOST_PICTURES);
  const preview = (busy && run.preview) || null;
  const look: NodeLook = {
    pictures,
    preview,
    stale: busy && pictures.length > 0,
    messages: run.messages.slice(-MOST_MESSAGES),
    error: run.error ?? null,
    ratio: preview === null ? ratioOf(pictures) : previewRatio,
  };
  return before !== undefined && same(before, look) ? before : look;
}

function same(a: NodeLook, b: NodeLook): boolean {
  return (
    a.preview === b.preview &&
    a.stale === b.stale &&
    a.error === b.error &&
    a.ratio === b.ratio &&
    a.messages.join("\n") === b.messages.join("\n") &&
    a.pictures.length === b.pictures.length &&
    a.pictures.every((picture, index) => picture.digest === b.pictures[index]?.digest)
  );
}

/** A preview was loaded: now its shape is known. */
export function knowRatio(node: string, ratio: number): void {
  const { ratios } = useLooks.getState();
  if (ratios[node] !== ratio && Number.isFinite(ratio)) useLooks.setState({ ratios: { ...ratios, [node]: ratio } });
}

/** Follow the run that is shown; returns how to stop. */
export function followRuns(): () => void {
  const update = () => {
    const { looks, ratios } = useLooks.getState();
    const next = nextLooks(looks, useRuns.getState().nodes, ratios);
    if (next !== looks) useLooks.setState({ looks: next });
  };
  update();
  const stops = [useRuns.subscribe(update), useLooks.subscribe(update)];
  return () => {
    for (const stop of stops) stop();
  };
}
