import { create } from "zustand";
import type { GraphDocument } from "../graph/document";
import { readPort } from "../graph/names";
import { AGAIN, api, type Foresight, isAbort, isBusy, type Run, type Trouble } from "./api";
import { contentOf } from "./content";
import { useDocument } from "./document";
import { isLive } from "./runList";
import { useRuns } from "./runs";

/** What a run would do now, and why the graph cannot run if it cannot. */
export interface PlanStore {
  foresight: Record<string, { state: "reused" | "runs" | "unknown"; why: string }>;
  problems: Trouble[];
  /** The problems by the node they are at. */
  ofNode: Record<string, Trouble[]>;
  checking: boolean;
}

const NOTHING: PlanStore = { foresight: {}, problems: [], ofNode: {}, checking: false };

export const usePlan = create<PlanStore>(() => NOTHING);

/** So long after the last edit the graph is checked. */
export const PLAN_DELAY = 400;

let timer: ReturnType<typeof setTimeout> | undefined;
let asked: AbortController | null = null;
let answered = "";

/** Check and plan after each edit and each run's end; returns how to stop. */
export function followPlan(): () => void {
  const stopDocument = useDocument.subscribe(({ document, name }, before) => {
    if (name !== before.name) {
      answered = "";
      usePlan.setState({ ...NOTHING });
    }
    if (document !== before.document || name !== before.name) {
      later(PLAN_DELAY);
    }
  });
  const stopRuns = useRuns.subscribe(({ runs, queue, connection }, before) => {
    const idle = queue.running === null && before.queue.running !== null;
    const back = connection === "open" && before.connection !== "open";
    if (idle || back || (runs !== before.runs && someEnded(before.runs, runs))) {
      forget();
      later(PLAN_DELAY);
    }
  });
  later(0);
  return () => {
    stopDocument();
    stopRuns();
    clearTimeout(timer);
    forget();
  };
}

/** Whether a run has ended. A quick one may never have been seen as the one that runs. */
function someEnded(before: Record<string, Run>, now: Record<string, Run>): boolean {
  return Object.values(before).some((run) => isLive(run) && !isLive(now[run.id]));
}

/** What was answered, and what is being asked, was of another state of the worker's cache. */
function forget(): void {
  answered = "";
  asked?.abort();
  asked = null;
  usePlan.setState({ checking: false });
}

function later(delay: number): void {
  clearTimeout(timer);
  timer = setTimeout(() => void ask(), delay);
}

async function ask(): Promise<void> {
  const { document, name } = useDocument.getState();
  const content = meaningOf(document);
  if (name === null || content === answered) {
    return;
  }
  asked?.abort();
  if (Object.keys(document.nodes).length === 0) {
    answered = content;
    usePlan.setState({ ...NOTHING }); // nobody has to be told that an empty graph does nothing
    return;
  }
  const own = new AbortController();
  asked = own;
  usePlan.setState({ checking: true });
  try {
    const { problems } = await api.check(document, own.signal);
    if (asked === own) {
      usePlan.setState({ problems, ofNode: byNode(problems, document) });
      const told = await foresee(document, name, problems, own);
      if (asked === own && told) {
        answered = content;
      }
    }
  } catch (error) {
    if (asked === own && !isAbort(error)) {
      usePlan.setState({ foresight: {} });
      if (isBusy(error)) {
        later(AGAIN);
      }
    }
  } finally {
    if (asked === own) {
      usePlan.setState({ checking: false });
    }
  }
}

/**
 * Ask what would run. Not while a run is under way, for the answer would change with every node, and not before the
 * worker has started. Whether nothing more is to be asked.
 */
async function foresee(doc: GraphDocument, name: string, problems: Trouble[], own: AbortController): Promise<boolean> {
  const isQuiet = () => useRuns.getState().queue.running === null;
  const wanted = problems.length === 0 && isQuiet();
  const ready = wanted && (await api.workerIsReady());
  const nodes = ready && isQuiet() ? await api.plan(doc, name, own.signal) : [];
  if (asked === own) {
    usePlan.setState({ foresight: byId(nodes) });
    if (wanted && !ready) {
      later(AGAIN);
    }
  }
  return ready || !wanted;
}

/** A document without what says only where things are drawn. */
function meaningOf({ layout: _layout, frames: _frames, ...rest }: GraphDocument): string {
  return contentOf(rest);
}

function byId(nodes: readonly Foresight[]): PlanStore["foresight"] {
  return Object.fromEntries(nodes.map(({ node, state, why }) => [node, { state, why }]));
}

/** The problems by the node they are at: "sample", "sample.steps", "up/sample" or "nodes.sample.inputs.steps". */
export function byNode(problems: readonly Trouble[], doc: GraphDocument): Record<string, Trouble[]> {
  const found: Record<string, Trouble[]> = {};
  for (const problem of problems) {
    const id = nodeAt(problem.at, doc);
    if (id !== null) {
      found[id] = [...(found[id] ?? []), problem];
    }
  }
  return found;
}

/** The node that a place in the server's words is at; null where it is at none. */
export function nodeAt(at: string, doc: GraphDocument): string | null {
  const path = at.startsWith("nodes.") ? at.slice("nodes.".length) : at;
  const node = readPort(path.split("/", 1)[0] ?? path).node;
  return Object.hasOwn(doc.nodes, node) ? node : null;
}
