import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { documentOf, FakeServer, FakeSocket, runOf } from "./fakeServer";

let server: FakeServer;
let session: typeof import("./session");
let document_: typeof import("./document");
let ui: typeof import("./ui");
let stop = () => {};

async function start(path: string): Promise<void> {
  window.history.replaceState(null, "", path);
  vi.resetModules();
  session = await import("./session");
  document_ = await import("./document");
  ui = await import("./ui");
  stop = session.startSession();
  FakeSocket.last.open();
  await settle();
}

const settle = () => vi.advanceTimersByTimeAsync(0);
const opened = () => document_.useDocument.getState().name;

/** As the browser's back button does. */
async function goTo(path: string): Promise<void> {
  window.history.replaceState(null, "", path);
  window.dispatchEvent(new PopStateEvent("popstate"));
  await settle();
}

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  FakeSocket.install();
  server = new FakeServer();
  server.answers.set("GET /api/nodes", { nodes: [{ id: "Text" }], problems: [] });
  server.answers.set("GET /api/models", { models: [] });
  server.answers.set("GET /api/runs", { runs: [], next: null });
  server.answers.set("GET /api/queue", { paused: false, running: null, runs: [] });
  server.answers.set("POST /api/check", { ok: true, problems: [] });
  server.answers.set("GET /ready", { ready: true, worker: "ready" });
  server.answers.set("POST /api/plan", { nodes: [{ node: "prompt", state: "runs", why: "It is new." }] });
  server.put("fox", documentOf("a"));
  server.put("owl", { ...documentOf("o"), name: "Owl at night" });
});

afterEach(async () => {
  stop();
  await settle();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("paths name graphs and forms; everything else is the home page", async () => {
  await start("/");
  const { readRoute, pathOf } = session;
  expect(readRoute("/graph/fox")).toEqual({ view: "graph", name: "fox" });
  expect(readRoute("/form/fox/")).toEqual({ view: "form", name: "fox" });
  for (const path of ["/", "/graph/", "/graph/a/b", "/graph/a%20b", "/graph/%E0%A4%A", "/else/fox"]) {
    expect(readRoute(path)).toEqual({ view: "home" });
  }
  expect(pathOf({ view: "form", name: "fox" })).toBe("/form/fox");
});

test("a first visit shows the graphs to choose from, the next one the last graph", async () => {
  await start("/");
  expect(opened()).toBeNull();
  expect(ui.useUi.getState().panel).toBe("graphs");
  await document_.useDocument.getState().open("fox");
  expect(location.pathname).toBe("/graph/fox");
  stop();
  await start("/");
  expect(opened()).toBe("fox");
  expect(location.pathname).toBe("/graph/fox");
});

test("the address follows the graph, and the graph the address", async () => {
  await start("/graph/fox");
  expect(opened()).toBe("fox");
  expect(document.title).toBe("fox - Patchbay");
  await document_.useDocument.getState().open("owl");
  expect(location.pathname).toBe("/graph/owl");
  expect(document.title).toBe("Owl at night - Patchbay");
  await goTo("/graph/fox");
  expect(opened()).toBe("fox");
  await goTo("/form/fox");
  expect(session.useSession.getState().route).toEqual({ view: "form", name: "fox" });
});

test("an address of no graph leads back to what is open", async () => {
  await start("/graph/nobody");
  expect(location.pathname).toBe("/");
  expect(ui.useUi.getState().panel).toBe("graphs");
  await document_.useDocument.getState().open("fox");
  await goTo("/graph/nobody");
  expect(opened()).toBe("fox");
  expect(location.pathname).toBe("/graph/fox");
});

test("a renamed graph keeps its place in the browser's history", async () => {
  await start("/graph/fox");
  const { length } = window.history;
  await document_.useDocument.getState().renameGraph("Red fox");
  expect(location.pathname).toBe("/graph/red_fox");
  expect(window.history.length).toBe(length);
});

test("a deleted graph leads home", async () => {
  await start("/graph/fox");
  await document_.useDocument.getState().deleteGraph("fox", server.graphs.get("fox")?.etag ?? "");
  expect(location.pathname).toBe("/");
  expect(localStorage.getItem("patchbay.last")).toBeNull();
});

test("a catalogue that could not be loaded is asked for again when the server is back", async () => {
  server.fail("GET", "unreachable", "unreachable", "unreachable", "unreachable", "unreachable", "unreachable");
  await start("/");
  const { useCatalog } = await import("./catalog");
  server.faults.length = 0;
  FakeSocket.last.break();
  await vi.advanceTimersByTimeAsync(500);
  FakeSocket.last.open();
  await settle();
  expect(useCatalog.getState()).toMatchObject({ status: "ready", types: { Text: { id: "Text" } } });
});

test("the window says how far the run is", async () => {
  await start("/graph/fox");
  const socket = FakeSocket.sockets[0];
  const run = runOf("7", { state: "running", attempt: 1 });
  server.answers.set("GET /api/runs/7", run);
  server.answers.set("POST /api/runs", run);
  const { useRuns } = await import("./runs");
  socket?.say({ sequence: 1, run: "7", event: "run_started" });
  await useRuns.getState().start();
  socket?.say({ sequence: 2, run: "7", event: "plan_started", nodes: ["prompt"] });
  socket?.say({ sequence: 3, run: "7", event: "node_progress", node: "prompt", done: 3, total: 8 });
  expect(document.title).toBe("37 % fox - Patchbay");
});

test("what would run is known after an edit, and a layout alone asks nothing", async () => {
  await start("/graph/fox");
  const { PLAN_DELAY, usePlan } = await import("./plan");
  await vi.advanceTimersByTimeAsync(PLAN_DELAY);
  expect(usePlan.getState()).toMatchObject({
    foresight: { prompt: { state: "runs", why: "It is new." } },
    checking: false,
  });
  const asked = server.requests("POST", "/api/check").length;
  const { edit } = document_.useDocument.getState();
  edit("edit.rename", (doc) => ({ ...doc, layout: { prompt: [1, 2] } }));
  await vi.advanceTimersByTimeAsync(PLAN_DELAY);
  expect(server.requests("POST", "/api/check")).toHaveLength(asked);
  const trouble = { code: "x", at: "prompt.text", what: "No.", fix: "" };
  server.answers.set("POST /api/check", { ok: false, problems: [trouble, { ...trouble, at: "interface" }] });
  edit("edit.rename", (doc) => ({ ...doc, nodes: documentOf("b").nodes }));
  await vi.advanceTimersByTimeAsync(PLAN_DELAY);
  expect(usePlan.getState()).toMatchObject({ foresight: {}, ofNode: { prompt: [trouble] } });
  expect(usePlan.getState().problems).toHaveLength(2);
});

test("a worker that is just starting is asked when it is ready, and again when it had no time", async () => {
  await start("/graph/fox");
  const { PLAN_DELAY, usePlan } = await import("./plan");
  const plans = () => server.requests("POST", "/api/plan").length;
  server.answers.set("GET /ready", { ready: true, worker: "starting" });
  await vi.advanceTimersByTimeAsync(PLAN_DELAY);
  expect(plans()).toBe(0);
  server.answers.set("GET /ready", { ready: true, worker: "ready" });
  server.fail("POST /api/plan", 409);
  await vi.advanceTimersByTimeAsync(3000);
  expect(plans()).toBe(1);
  expect(usePlan.getState().foresight).toEqual({});
  await vi.advanceTimersByTimeAsync(3000);
  expect(usePlan.getState().foresight.prompt?.state).toBe("runs");
});
