import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Run } from "./api";
import { useDocument } from "./document";
import { FakeServer } from "./fakeServer";
import { followPlan, PLAN_DELAY, usePlan } from "./plan";
import { useRuns } from "./runs";

const QUEUED = { id: "7", name: "fox", state: "queued" } as Run;
const DONE = { ...QUEUED, state: "done" } as Run;
const DOC = { version: 1, nodes: { a: { type: "Draw" } } };

let server: FakeServer;
let stop: () => void;
let state: "runs" | "reused";

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  state = "runs";
  server.answers.set("POST /api/check", { ok: true, problems: [] });
  server.answers.set("GET /ready", { worker: "ready" });
  server.answers.set("POST /api/plan", () => ({ nodes: [{ node: "a", state, why: "" }] }));
  useDocument.setState({ name: "fox", document: DOC });
  useRuns.setState({ runs: { "7": QUEUED }, queue: { paused: false, running: null, order: ["7"] } });
  stop = followPlan();
});

afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a quick run that was never seen running is followed by a new plan", async () => {
  await vi.advanceTimersByTimeAsync(PLAN_DELAY);
  expect(usePlan.getState().foresight).toEqual({ a: { state: "runs", why: "" } });
  state = "reused";
  useRuns.setState({ runs: { "7": DONE } });
  await vi.advanceTimersByTimeAsync(2 * PLAN_DELAY);
  expect(usePlan.getState().foresight).toEqual({ a: { state: "reused", why: "" } });
});

test("an answer that was on its way when the run ended is not kept", async () => {
  let arrive = (_: Response) => {};
  const fetched = globalThis.fetch;
  vi.stubGlobal("fetch", (path: string, options: RequestInit) =>
    path === "/api/plan" ? new Promise<Response>((done) => (arrive = done)) : fetched(path, options),
  );
  await vi.advanceTimersByTimeAsync(PLAN_DELAY);
  const late = arrive;
  useRuns.setState({ runs: { "7": DONE } });
  late(Response.json({ nodes: [{ node: "a", state: "runs", why: "" }] }));
  vi.stubGlobal("fetch", fetched);
  state = "reused";
  await vi.advanceTimersByTimeAsync(2 * PLAN_DELAY);
  expect(usePlan.getState().foresight).toEqual({ a: { state: "reused", why: "" } });
});

test("a run that begins while the worker is asked whether it is ready keeps the plan from being asked for", async () => {
  server.answers.set("GET /ready", () => {
    useRuns.setState({ queue: { paused: false, running: "7", order: [] } });
    return { worker: "ready" };
  });
  await vi.advanceTimersByTimeAsync(PLAN_DELAY);
  expect(server.requests("GET", "/ready")).toHaveLength(1);
  expect(server.requests("POST", "/api/plan")).toEqual([]);
});
