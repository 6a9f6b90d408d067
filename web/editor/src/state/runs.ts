import { create } from "zustand";
import { ApiError, api, type Place, type Run } from "./api";
import { useDocument } from "./document";
import { randomId } from "./drafts";
import { follow, type ServerEvent } from "./events";
import { NONE, NodeMemory } from "./nodeMemory";
import { type NodeRun, type NodeRuns, withPictures, withResults } from "./nodeRuns";
import { fittingRun, isLive, withRuns } from "./runList";
import { report, textOf, useUi } from "./ui";

export type { NodeRun } from "./nodeRuns";
export { isLive } from "./runList";

/** The queue, the history and the run that is shown on the canvas. */
export interface RunsStore {
  /** "locked": the server was started anew and does not know this page any more. */
  connection: "open" | "connecting" | "locked";
  runs: Record<string, Run>;
  /** Ids of the runs that are known, newest first. */
  history: string[];
  /** Whether the server has older ones. */
  more: boolean;
  queue: { paused: boolean; running: string | null; order: string[] };
  /** The run whose nodes are shown. */
  shown: string | null;
  /** What the nodes of the graph do in it, by node id. */
  nodes: Record<string, NodeRun>;
  loadMore(): Promise<void>;
  /** Run the open graph; `only` up to these nodes. */
  start(options?: { only?: string[] }): Promise<void>;
  /** Cancel a run; without `id` the one that is shown if it is not over, else the one that runs. */
  cancel(id?: string): Promise<void>;
  retry(id: string): Promise<void>;
  move(id: string, where: Place): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Show another run's states on the canvas; null shows none. */
  show(id: string | null): void;
}

/** Runs on a page of the history. */
const PAGE = 50;
const UNAUTHORIZED = 401;

/** So many runs asked for at once are asked for as a page. */
const MANY = 8;

const memory = new NodeMemory();

/** Runs that were heard from their beginning, so that nothing has to be asked for. */
const whole = new Set<string>();

/** What the nodes of the run showed that was shown before, where it was one of the same graph. */
let before: NodeRuns = NONE;

/** Whether a person looks at an earlier run: then no other one takes its place by itself. */
let pinned = false;

let stopReplay: (() => void) | null = null;
let replayed: string | null = null;

export const useRuns = create<RunsStore>((set, get) => ({
  connection: "connecting",
  runs: {},
  history: [],
  more: false,
  queue: { paused: false, running: null, order: [] },
  shown: null,
  nodes: {},

  async loadMore() {
    const last = get().history.at(-1);
    const page = await api.runs(last, PAGE);
    take(page.runs);
    set({ more: page.next !== null });
  },

  async start(options = {}) {
    const { name, document } = useDocument.getState();
    if (name === null) {
      useUi.getState().toast("run.none");
      return;
    }
    const submission = { graph: document, name, idempotency_key: randomId(), ...options };
    try {
      // an answer may be lost on its way: the same key is the same run
      const run = await api.submit(submission).catch((error: unknown) => {
        if (error instanceof ApiError && error.status === 0) {
          return api.submit(submission);
        }
        throw error;
      });
      useDocument.getState().amend(name, run.drawn);
      take([run]);
      pinned = false;
      const { shown, runs } = get();
      const busy = shown !== null && runs[shown]?.name === name && runs[shown]?.state === "running";
      if (!busy) {
        display(run.id);
      }
      refreshRun(run.id);
    } catch (error) {
      useUi.getState().toast("run.refused", { problem: textOf(error) }, "problem");
    }
  },

  async cancel(id) {
    const { shown, queue, runs } = get();
    const own = shown !== null && isLive(runs[shown]) ? shown : queue.running;
    const wanted = id ?? own;
    if (wanted === null) {
      useUi.getState().toast("run.nothing");
    } else {
      await change(() => api.cancel(wanted));
    }
  },

  retry: (id) => change(() => api.retry(id)),
  move: (id, where) => change(() => api.move(id, where)),

  async pause() {
    const { paused } = await api.pause();
    set(({ queue }) => ({ queue: { ...queue, paused } }));
  },

  async resume() {
    const { paused } = await api.resume();
    set(({ queue }) => ({ queue: { ...queue, paused } }));
  },

  show(id) {
    pinned = id !== null && !isLive(get().runs[id]);
    display(id);
  },
}));

function display(id: string | null): void {
  const { shown, runs, nodes } = useRuns.getState();
  if (id !== shown) {
    const sameGraph = id !== null && shown !== null && runs[id]?.name === runs[shown]?.name;
    before = sameGraph ? nodes : NONE;
  }
  useRuns.setState({ shown: id });
  replay();
  draw();
}

/** Do something with a run and show what became of it; a refusal is told. */
async function change(action: () => Promise<Run>): Promise<void> {
  try {
    take([await action()]);
  } catch (error) {
    report(error);
  }
  refreshQueue();
}

/** Runs as the server has them now. */
function take(fresh: readonly Run[]): void {
  if (fresh.length > 0) {
    useRuns.setState((known) => withRuns(known, fresh));
    replay();
    draw();
  }
}

/** Show the nodes of the shown run. Until it has pictures of its own, those of the run before stay. */
function draw(): void {
  const { shown, runs, nodes } = useRuns.getState();
  const run = shown === null ? undefined : runs[shown];
  const live = memory.of(shown);
  const over = run !== undefined && !isLive(run);
  const next = over ? withResults(live, run, useDocument.getState().document) : withPictures(live, before);
  if (next !== nodes) {
    useRuns.setState({ nodes: next });
  }
}

/** Hear the past of the shown run where it is under way and its beginning was missed, as after a reload. */
function replay(): void {
  const { shown, runs } = useRuns.getState();
  const missed = shown !== null && runs[shown]?.state === "running" && !whole.has(shown) ? shown : null;
  if (missed === replayed) {
    return;
  }
  stopReplay?.();
  stopReplay = null;
  replayed = missed;
  if (missed !== null) {
    memory.forget(missed);
    const hear = (event: ServerEvent, preview?: Blob) => event.run === missed && tell(event, preview);
    stopReplay = follow({ hear }, { run: missed, after: 0 });
  }
}

/** Let an event change what its run's nodes do. */
function tell(event: ServerEvent, preview?: Blob): void {
  const { shown } = useRuns.getState();
  if (memory.hear(event, preview, shown) && event.run === shown) {
    draw();
  }
}

/** What the main stream tells. */
function hear(event: ServerEvent, preview?: Blob): void {
  if (event.event === "queue_paused" || event.event === "queue_resumed") {
    useRuns.setState(({ queue }) => ({ queue: { ...queue, paused: event.event === "queue_paused" } }));
  } else if (event.event === "server_started") {
    refreshQueue();
  }
  if (event.run === null) {
    return;
  }
  if (event.event === "run_started") {
    whole.add(event.run);
    if (event.run === replayed) {
      stopReplay?.();
      stopReplay = null;
      replayed = null;
    }
    if (!pinned && event.name === useDocument.getState().name) {
      display(event.run);
    }
  }
  if (event.run !== replayed) {
    tell(event, preview);
  }
  if (event.event.startsWith("run_")) {
    announce(event);
    refreshRun(event.run);
  }
}

/** Say of the shown run what its person may not see otherwise. */
function announce(event: ServerEvent): void {
  const { shown } = useRuns.getState();
  if (event.run !== shown || event.run === null) {
    return;
  }
  const { toast } = useUi.getState();
  if (event.event === "run_queued" && event.because) {
    toast("run.requeued", { id: event.run, problem: event.because });
  } else if (event.event === "run_finished" && event.state === "failed") {
    toast("run.failed", { id: event.run, problem: event.error?.what ?? "" }, "problem");
  }
}

const dirty = new Set<string>();
let asking = false;

/** Ask for a run anew; many of them together, and one question at a time. */
function refreshRun(id: string): void {
  dirty.add(id);
  void askForRuns();
}

function refreshQueue(): void {
  dirty.add("");
  void askForRuns();
}

async function askForRuns(): Promise<void> {
  if (asking) {
    return;
  }
  asking = true;
  try {
    while (dirty.size > 0) {
      const ids = [...dirty].filter((id) => id !== "");
      dirty.clear();
      const pages = ids.length > MANY ? [api.runs(null, 500)] : ids.map(async (id) => ({ runs: [await api.run(id)] }));
      // where the server is away the stream breaks too, and everything is asked for again when it is back
      const [waiting, ...found] = await Promise.all([
        api.queue().catch(() => null),
        ...pages.map((page) => page.catch(() => ({ runs: [] }))),
      ]);
      if (waiting !== null) {
        const { paused, running, runs } = waiting;
        useRuns.setState({ queue: { paused, running, order: runs.map(({ id }) => id) } });
      }
      take([...(waiting?.runs ?? []), ...found.flatMap(({ runs }) => runs)]);
    }
  } finally {
    asking = false;
  }
}

/** Follow the server: the queue, the newest runs, and what happens from now on. `back` is called at each connection. */
export function followRuns(back: () => void): () => void {
  const open = () => {
    useRuns.setState({ connection: "open" });
    void refreshAll();
    back();
  };
  const stop = follow({ hear, open, lost });
  // a machine that slept may hold a stream that is dead without knowing it
  const wake = () => document.visibilityState === "visible" && void refreshAll();
  document.addEventListener("visibilitychange", wake);
  return () => {
    stop();
    document.removeEventListener("visibilitychange", wake);
    stopReplay?.();
    stopReplay = null;
    replayed = null;
  };
}

/** A stream that breaks does not say why; a request does. */
function lost(): void {
  const { connection } = useRuns.getState();
  if (connection !== "locked") {
    useRuns.setState({ connection: "connecting" });
  }
  api.runs(null, 1).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === UNAUTHORIZED) {
      useRuns.setState({ connection: "locked" });
    }
  });
}

async function refreshAll(): Promise<void> {
  try {
    const page = await api.runs(null, PAGE);
    take(page.runs);
    const { history } = useRuns.getState();
    useRuns.setState({ more: history.length <= page.runs.length ? page.next !== null : useRuns.getState().more });
    refreshQueue();
    showFitting();
  } catch {
    // the stream breaks too, and connects again
  }
}

/** Show the run that fits the open graph, unless one of its runs is shown. */
export function showFitting(): void {
  const { name } = useDocument.getState();
  const { shown, runs } = useRuns.getState();
  const fits = shown !== null && runs[shown]?.name === name;
  if (!fits) {
    pinned = false;
    display(name === null ? null : fittingRun(name, useRuns.getState()));
  } else {
    replay();
    draw();
  }
}
