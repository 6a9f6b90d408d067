import type { NodeState } from "../graph/document";
import { words } from "../graph/names";
import type { Trouble } from "../state/api";
import type { NodeRun } from "../state/runs";
import { t } from "../text/text";

/** What a screen reader calls a node: its type, its name, and what it is doing. */
export function nodeName(id: string, type: string, state: NodeState | undefined, run: NodeRun | undefined): string {
  const parts = [words(type), id];
  if (state !== undefined) parts.push(t(`canvas.node.${state}`));
  if (run !== undefined && shownState(run) !== undefined) parts.push(runText(run));
  return parts.join(", ");
}

/** What a node does, as it is shown. One that was never reached because a run ended is as if it had not been asked for. */
export function shownState(run: NodeRun | undefined): NodeRun["state"] | undefined {
  return run?.state === "skipped" && !run.because ? undefined : run?.state;
}

function runText(run: NodeRun): string {
  if (run.state === "running" && run.total) {
    return t("canvas.run.percent", { percent: Math.floor((100 * (run.done ?? 0)) / run.total) });
  }
  if (run.state === "failed" && run.error !== undefined) return t("canvas.run.failedWhy", { what: run.error.what });
  return t(`canvas.run.${run.state}`);
}

/** Seconds as they are shown on a node: "< 0.01 s", "0.04 s", "1.3 s", "2 min 5 s". */
export function secondsText(seconds: number): string {
  if (seconds < 0.005) return "< 0.01 s";
  if (seconds < 0.095) return `${seconds.toFixed(2)} s`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Problems as a tooltip: what is wrong and how to mend it, one after another. */
export function problemsText(problems: readonly Trouble[]): string {
  return problems.map(({ what, fix }) => (fix === "" ? what : `${what}\n${fix}`)).join("\n\n");
}

/** What is told of a port besides its name; "" and false for what is not so. */
export interface PortFacts {
  label: string;
  linked: string;
  required: boolean;
  problem: string;
}

/** What a screen reader calls a port: its name, its side, its type, and what it is linked to. */
export function portName(name: string, side: "in" | "out", { label, linked, required, problem }: PortFacts): string {
  const parts = [words(name).toLowerCase(), t(side === "in" ? "canvas.port.input" : "canvas.port.output"), label];
  if (linked !== "") parts.push(t("canvas.port.linked", { to: linked }));
  if (required) parts.push(t("canvas.port.required"));
  parts.push(problem);
  return parts.filter((part) => part !== "").join(", ");
}
