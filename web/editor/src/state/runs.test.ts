import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Run } from "./api";
import { documentOf, FakeServer, FakeSocket, pictureOf, runOf } from "./fakeServer";

type Module = typeof import("./runs");

let server: FakeServer;
let runs: Map<string, Run>;
let useRuns: Module["useRuns"];
let document: typeof import("./document");
let ui: typeof import("./ui");
let stop: () => void;
let backs: number;

function serve(...list: Run[]): void {
  for (const item of list) {
    runs.set(item.id, item);
    server.answers.set(`GET /api/runs/${item.id}`, () => runs.get(item.id));
  }
}

beforeEach(async () => {
  vi.useFakeTimers();
  vi.resetModules();
  localStorage.clear();
  FakeSocket.install();
  server = new FakeServer();
  runs = new Map();
  backs = 0;
  const all = () => [...runs.values()].sort((one, other) => other.number - one.number);
  server.answers.set("GET /api/runs", () => ({ runs: all(), next: null }));
  server.answers.set("GET /api/queue", () => ({
    paused: false,
    running: all().find(({ state }) => state === "running")?.id ?? null,
    runs: all().filter(({ state }) => state === "queued"),
  }));
  const module = await import("./runs");
  ({ useRuns } = module);
  document = await import("./document");
  ui = await import("./ui");
  server.put("fox", documentOf("a"));
  await document.useDocument.getState().open("fox");
  stop = module.followRuns(() => {
    backs += 1;
  });
});

afterEach(async () => {
  stop();
  await settle();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const store = () => useRuns.getState();
const settle = () => vi.advanceTimersByTimeAsync(0);
const main = () => FakeSocket.sockets[0] as FakeSocket;
let sequence = 0;
const say = (event: string, id: string | null, more: object = {}, socket = main()) => {
  sequence += 1;
  socket.say({ sequence, run: id, event, ...more });
};

async function connect(): Promise<void> {
  main().open();
  await settle();
}

test("a run is submitted as the graph stands, under its name, and shown", async () => {
  await connect();
  server.answers.set("POST /api/runs", () => {
    serve(runOf("7"));
    return runs.get("7");
  });
  await store().start({ only: ["decode"] });
  const body = server.requests("POST", "/api/runs")[0]?.body;
  expect(body).toMatchObject({ graph: documentOf("a"), name: "fox", only: ["decode"] });
  await settle();
  expect(store()).toMatchObject({ shown: "7", history: ["7"], queue: { order: ["7"] } });
});

test("a submission without an answer is sent once more under the same key", async () => {
  await connect();
  server.answers.set("POST /api/runs", runOf("7"));
  server.fail("POST", "answer lost");
  await store().start();
  const keys = server
    .requests("POST", "/api/runs")
    .map(({ body }) => (body as { idempotency_key: string }).idempotency_key);
  expect(keys).toHaveLength(2);
  expect(keys[0]).toBe(keys[1]);
  expect(store().shown).toBe("7");
});

test("a refused submission is told in the server's words", async () => {
  await connect();
  server.fail("POST", 422);
  await store().start();
  expect(ui.useUi.getState().toasts.map(({ text }) => text)).toEqual(["The run was not queued. Refused with 422."]);
  expect(store().shown).toBeNull();
});

test("the seeds that the server drew are in the document", async () => {
  server.put("owl", { version: 1, nodes: { sample: { type: "Sample", inputs: { seed: 1 } } } });
  await document.useDocument.getState().open("owl");
  server.answers.set("POST /api/runs", runOf("7", { name: "owl", drawn: { "sample.seed": 99 } }));
  await store().start();
  expect(document.useDocument.getState().document.nodes.sample?.inputs?.seed).toBe(99);
  expect(document.useDocument.getState().undoLabel).toBeNull();
});

test("what is heard of the shown run is seen at its nodes, and its end asks for its files", async () => {
  serve(runOf("7"));
  await connect();
  say("run_started", "7", { state: "running" });
  say("plan_started", "7", { nodes: ["prompt"] });
  say("node_started", "7", { node: "prompt" });
  expect(store().nodes.prompt?.state).toBe("running");
  const picture = pictureOf("fox-0001.png");
  serve(runOf("7", { state: "done", attempt: 1, files: [picture] }));
  say("node_finished", "7", { node: "prompt", seconds: 1 });
  say("run_finished", "7", { state: "done" });
  await settle();
  expect(store().nodes.prompt).toMatchObject({ state: "done", seconds: 1 });
  expect(store().runs["7"]?.files).toEqual([picture]);
});

test("after a reload the running run is heard from its beginning, and only once", async () => {
  serve(runOf("6", { state: "done", attempt: 1 }), runOf("7", { state: "running", attempt: 1 }));
  await connect();
  expect(store().shown).toBe("7");
  const [replay] = FakeSocket.of("7");
  expect(replay?.url).toMatch(/after=0&run=7$/);
  say("plan_started", "7", { nodes: ["prompt"] }, replay);
  say("node_started", "7", { node: "prompt" }, replay);
  say("node_progress", "7", { node: "prompt", done: 3, total: 4 });
  expect(store().nodes.prompt).toEqual({ state: "running", messages: [], pictures: [] });
  say("node_progress", "7", { node: "prompt", done: 3, total: 4 }, replay);
  expect(store().nodes.prompt?.done).toBe(3);
  serve(runOf("7", { state: "done", attempt: 1 }));
  say("run_finished", "7", { state: "done" });
  await settle();
  expect(store().nodes.prompt?.state).toBe("done");
});

test("a run whose worker died is told, and begins anew", async () => {
  serve(runOf("7"));
  await connect();
  say("run_started", "7");
  say("node_started", "7", { node: "prompt" });
  say("run_queued", "7", { because: "The worker was killed." });
  expect(store().nodes).toEqual({});
  expect(ui.useUi.getState().toasts.map(({ text }) => text)).toEqual(["Run 7 is queued again: The worker was killed."]);
});

test("the canvas follows what runs of its graph, unless its person looks at an earlier run", async () => {
  serve(runOf("6", { state: "done", attempt: 1 }));
  await connect();
  const start = async (id: string) => {
    serve(runOf(id));
    server.answers.set("POST /api/runs", runs.get(id));
    await store().start();
  };
  const begin = async (id: string) => {
    serve(runOf(id, { state: "running", attempt: 1 }));
    say("run_started", id, { name: "fox" });
    await settle();
  };
  await start("7");
  await begin("7");
  await start("8");
  expect(store().shown).toBe("7");
  await begin("8");
  expect(store().shown).toBe("8");
  say("run_started", "9", { name: "owl" });
  expect(store().shown).toBe("8");
  store().show("6");
  await begin("10");
  expect(store().shown).toBe("6");
});

test("an older answer does not take a run back", async () => {
  serve(runOf("7", { state: "running", attempt: 2 }));
  await connect();
  server.answers.set("POST /api/runs/7/move", runOf("7", { state: "queued", attempt: 1 }));
  await store().move("7", { to: "first" });
  expect(store().runs["7"]?.state).toBe("running");
});

test("cancelling means the shown run while it is not over, else the one that runs", async () => {
  serve(runOf("6", { state: "done", attempt: 1 }), runOf("7", { state: "running", attempt: 1, name: "owl" }));
  await connect();
  store().show("6");
  server.answers.set("DELETE /api/runs/7", runOf("7", { state: "running", attempt: 1, cancelling: true }));
  await store().cancel();
  expect(store().runs["7"]?.cancelling).toBe(true);
  serve(runOf("7", { state: "cancelled", attempt: 1 }));
  say("run_finished", "7", { state: "cancelled" });
  await settle();
  await store().cancel();
  expect(ui.useUi.getState().toasts.at(-1)?.text).toBe("Nothing is running.");
});

test("many changes at once are asked for as one page", async () => {
  serve(...Array.from({ length: 30 }, (_, index) => runOf(String(index + 1))));
  await connect();
  server.seen.length = 0;
  for (const id of runs.keys()) {
    say("run_moved", id);
  }
  await settle();
  expect(server.seen.filter(({ path }) => path.startsWith("/api/runs")).length).toBeLessThan(4);
});

test("a queue that is paused elsewhere is seen", async () => {
  await connect();
  say("queue_paused", null);
  expect(store().queue.paused).toBe(true);
  say("queue_resumed", null);
  expect(store().queue.paused).toBe(false);
});

test("a lost connection is seen, and everything is asked for again when it is back", async () => {
  await connect();
  main().break();
  expect(store().connection).toBe("connecting");
  serve(runOf("9", { state: "done", attempt: 1 }));
  await vi.advanceTimersByTimeAsync(500);
  FakeSocket.last.open();
  await settle();
  expect(store()).toMatchObject({ connection: "open", history: ["9"] });
  expect(backs).toBe(2);
});

test("a server that does not know this page any more is told from one that is away", async () => {
  await connect();
  server.fail("GET", 401);
  main().break();
  await settle();
  expect(store().connection).toBe("locked");
});

test("previews are shown, and given back when they are replaced", async () => {
  serve(runOf("7"));
  await connect();
  const urls: string[] = [];
  vi.spyOn(URL, "createObjectURL").mockImplementation(() => `blob:${urls.push("") - 1}`);
  const revoked = vi.spyOn(URL, "revokeObjectURL").mockImplementation(() => {});
  const preview = () => {
    const text = new TextEncoder().encode(
      `{"sequence":${++sequence},"run":"7","event":"node_preview","node":"prompt"}`,
    );
    const frame = new Uint8Array(9 + text.length);
    new DataView(frame.buffer).setUint32(0, text.length);
    new DataView(frame.buffer).setUint32(4, 1);
    frame.set(text, 8);
    main().say(frame.buffer);
  };
  say("run_started", "7");
  say("node_started", "7", { node: "prompt" });
  preview();
  expect(store().nodes.prompt?.preview).toBe("blob:0");
  preview();
  expect(store().nodes.prompt?.preview).toBe("blob:1");
  expect(revoked.mock.calls).toEqual([["blob:0"]]);
});
