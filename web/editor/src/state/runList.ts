import type { Run } from "./api";

/** Runs by id, and their ids, newest first. */
export interface RunList {
  runs: Record<string, Run>;
  history: string[];
}

/** Whether a run is not over. */
export function isLive(run: Run | undefined): boolean {
  return run?.state === "queued" || run?.state === "running";
}

/** The list with runs as the server has told them. Answers overtake each other: what an earlier attempt was is old. */
export function withRuns({ runs, history }: RunList, fresh: readonly Run[]): RunList {
  const next = { ...runs };
  for (const run of fresh) {
    if (run.attempt >= (runs[run.id]?.attempt ?? 0)) {
      next[run.id] = run;
    }
  }
  const added = fresh.some(({ id }) => runs[id] === undefined);
  return { runs: next, history: added ? Object.keys(next).sort((a, b) => Number(b) - Number(a)) : history };
}

/** The run of a graph that its person wants to see: the one under way, else the newest. */
export function fittingRun(name: string, { runs, history }: RunList): string | null {
  const own = history.filter((id) => runs[id]?.name === name);
  return own.find((id) => runs[id]?.state === "running") ?? own[0] ?? null;
}
