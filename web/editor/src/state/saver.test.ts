import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { GraphDocument } from "../graph/document";
import type { SavedGraph } from "./api";
import { draftsOf } from "./drafts";
import { documentOf, FakeServer, refuseStorage } from "./fakeServer";
import { SAVE_DELAY, Saver } from "./saver";
import type { SaveState, Sheet } from "./sheet";

let server: FakeServer;
let savers: Saver[];

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  server = new FakeServer();
  savers = [];
});

afterEach(() => {
  for (const saver of savers) {
    saver.close();
  }
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function start(sheet: Partial<Sheet> & { document: GraphDocument }) {
  const told: SaveState[] = [];
  const seen = { theirs: undefined as SavedGraph | null | undefined, names: [] as string[], newer: 0, unkept: 0 };
  const saver = new Saver(
    { name: "fox", etag: null, dirty: false, ...sheet },
    {
      tell: (save, theirs) => {
        told.push(save);
        seen.theirs = theirs;
      },
      rename: (name) => seen.names.push(name),
      newer: () => {
        seen.newer += 1;
      },
      unkept: () => {
        seen.unkept += 1;
      },
      saved: () => {},
    },
  );
  savers.push(saver);
  const states = () => told.map(({ state }) => state);
  return { saver, told, states, seen };
}

const after = (time: number) => vi.advanceTimersByTimeAsync(time);

test("an edit is kept in the browser at once and saved after a moment, based on the version that was read", async () => {
  const etag = server.put("fox", documentOf("a"));
  const { saver, states } = start({ etag, document: documentOf("a") });
  saver.changed(documentOf("b"));
  expect(draftsOf("fox").map(({ document, base }) => ({ document, base }))).toEqual([
    { document: documentOf("b"), base: etag },
  ]);
  expect(server.requests("PUT")).toHaveLength(0);
  await after(SAVE_DELAY);
  expect(server.document("fox")).toEqual(documentOf("b"));
  expect(server.requests("PUT")[0]?.headers["if-match"]).toBe(`"${etag}"`);
  expect(states()).toEqual(["waiting", "saving", "saved"]);
  expect(draftsOf("fox")).toEqual([]);
});

test("edits in quick succession are one save", async () => {
  const { saver } = start({ etag: server.put("fox", documentOf("a")), document: documentOf("a") });
  for (const text of ["b", "c", "d"]) {
    saver.changed(documentOf(text));
    expect(draftsOf("fox")[0]?.document).toEqual(documentOf(text));
    await after(10);
  }
  await after(SAVE_DELAY);
  expect(server.requests("PUT")).toHaveLength(1);
  expect(server.document("fox")).toEqual(documentOf("d"));
});

test("a large document is kept at a pace, and what is due before the page is hidden", async () => {
  const large = (text: string) => documentOf(text + "x".repeat(300_000));
  const { saver } = start({ etag: server.put("fox", documentOf("a")), document: documentOf("a") });
  const kept = () => JSON.stringify(draftsOf("fox")[0]?.document.nodes.prompt?.inputs?.text).slice(0, 3);
  saver.changed(large("b"));
  saver.changed(large("c"));
  expect(kept()).toBe('"bx');
  await after(100);
  expect(kept()).toBe('"cx');
  saver.changed(large("d"));
  saver.keepNow();
  expect(kept()).toBe('"dx');
});

test("what is edited while a save is under way is saved after it, based on its answer", async () => {
  const { saver } = start({ etag: server.put("fox", documentOf("a")), document: documentOf("a") });
  saver.changed(documentOf("b"));
  const saving = saver.flush();
  saver.changed(documentOf("c"));
  await saving;
  expect(server.requests("PUT").map(({ headers }) => headers["if-match"])).toEqual(['"etag1"', '"etag2"']);
  expect(server.document("fox")).toEqual(documentOf("c"));
  expect(saver.isSaved).toBe(true);
});

test("without a server the work stays in the browser, and is saved when it is back", async () => {
  const { saver, told, states } = start({ etag: server.put("fox", documentOf("a")), document: documentOf("a") });
  server.fail("PUT", "unreachable", "unreachable", 503, 507);
  saver.changed(documentOf("b"));
  await after(SAVE_DELAY);
  expect(told.at(-1)).toEqual({ state: "offline", problem: "The server does not answer." });
  expect(draftsOf("fox")[0]?.document).toEqual(documentOf("b"));
  await after(1000 + 2000 + 4000 + 8000);
  expect(states().at(-1)).toBe("saved");
  expect(server.document("fox")).toEqual(documentOf("b"));
});

test("when the connection is back it does not wait for its turn", async () => {
  const { saver, states } = start({ etag: server.put("fox", documentOf("a")), document: documentOf("a") });
  server.fail("PUT", "unreachable");
  saver.changed(documentOf("b"));
  await after(SAVE_DELAY);
  saver.nudge();
  await after(0);
  expect(states().at(-1)).toBe("saved");
});

test("a server that does not know us any more is one that may again", async () => {
  const { saver, states } = start({ etag: server.put("fox", documentOf("a")), document: documentOf("a") });
  server.fail("PUT", 401);
  saver.changed(documentOf("b"));
  await saver.flush();
  expect(states().at(-1)).toBe("offline");
  await after(1000);
  expect(states().at(-1)).toBe("saved");
});

test("a refused document is not sent again until it is edited", async () => {
  const { saver, told, states } = start({ etag: server.put("fox", documentOf("a")), document: documentOf("a") });
  server.fail("PUT", 422);
  saver.changed(documentOf("b"));
  await after(SAVE_DELAY);
  expect(told.at(-1)).toEqual({ state: "refused", problem: "Refused with 422." });
  await after(120_000);
  expect(server.requests("PUT")).toHaveLength(1);
  saver.changed(documentOf("c"));
  await after(SAVE_DELAY);
  expect(states().at(-1)).toBe("saved");
});

test("what was edited while a refused save was under way is sent by itself", async () => {
  const { saver, states } = start({ etag: server.put("fox", documentOf("a")), document: documentOf("a") });
  server.fail("PUT", 422);
  saver.changed(documentOf("b"));
  const saving = saver.flush();
  saver.changed(documentOf("c"));
  await saving;
  await after(SAVE_DELAY);
  expect(states().at(-1)).toBe("saved");
});

test("somebody else's version is never written over: the conflict is told with what they have", async () => {
  const etag = server.put("fox", documentOf("a"));
  const { saver, states, seen } = start({ etag, document: documentOf("a") });
  server.put("fox", documentOf("theirs"));
  saver.changed(documentOf("mine"));
  await after(SAVE_DELAY);
  expect(states().at(-1)).toBe("conflict");
  expect(seen.theirs?.document).toEqual(documentOf("theirs"));
  saver.changed(documentOf("mine too"));
  await after(60_000);
  expect(server.document("fox")).toEqual(documentOf("theirs"));
  expect(draftsOf("fox")[0]?.document).toEqual(documentOf("mine too"));
});

test("a conflict ends by insisting, unless there is a third version by then", async () => {
  const { saver, states, seen } = start({ etag: server.put("fox", documentOf("a")), document: documentOf("a") });
  server.put("fox", documentOf("theirs"));
  saver.changed(documentOf("mine"));
  await after(SAVE_DELAY);
  server.put("fox", documentOf("third"));
  await saver.insist();
  expect(states().at(-1)).toBe("conflict");
  expect(seen.theirs?.document).toEqual(documentOf("third"));
  await saver.insist();
  expect(server.document("fox")).toEqual(documentOf("mine"));
  expect(draftsOf("fox")).toEqual([]);
});

test("a graph that was deleted meanwhile is a conflict with nothing, and insisting brings it back", async () => {
  const { saver, states, seen } = start({ etag: server.put("fox", documentOf("a")), document: documentOf("a") });
  server.graphs.delete("fox");
  saver.changed(documentOf("b"));
  await after(SAVE_DELAY);
  expect(states().at(-1)).toBe("conflict");
  expect(seen.theirs).toBeNull();
  await saver.insist();
  expect(server.document("fox")).toEqual(documentOf("b"));
});

test("a save whose answer was lost is recognized as our own", async () => {
  const { saver, states } = start({ etag: server.put("fox", documentOf("a")), document: documentOf("a") });
  server.fail("PUT", "answer lost");
  saver.changed(documentOf("b"));
  await after(SAVE_DELAY);
  expect(states().at(-1)).toBe("offline");
  saver.changed(documentOf("c"));
  await after(SAVE_DELAY);
  expect(states().at(-1)).toBe("saved");
  expect(server.document("fox")).toEqual(documentOf("c"));
});

test("two tabs that have come to the same document have no conflict", async () => {
  const { saver, states } = start({ etag: server.put("fox", documentOf("a")), document: documentOf("a") });
  server.put("fox", { ...documentOf("b"), layout: {} });
  saver.changed(documentOf("b"));
  await after(SAVE_DELAY);
  expect(states().at(-1)).toBe("saved");
});

test("a new graph takes the next name when its own is taken", async () => {
  server.put("fox", documentOf("another"));
  server.put("fox_2", documentOf("one more"));
  const { saver, seen } = start({ document: documentOf("new"), dirty: true, fresh: true });
  expect(draftsOf("fox")).toHaveLength(1);
  await saver.flush();
  expect(seen.names).toEqual(["fox_2", "fox_3"]);
  expect(server.document("fox_3")).toEqual(documentOf("new"));
  expect(server.document("fox")).toEqual(documentOf("another"));
  expect(localStorage.length).toBe(0);
});

test("a new graph whose answer was lost does not take a second name", async () => {
  server.fail("PUT", "answer lost");
  const { saver, seen } = start({ document: documentOf("new"), dirty: true, fresh: true });
  await saver.flush();
  await after(1000);
  expect(saver.isSaved).toBe(true);
  expect(seen.names).toEqual([]);
  expect([...server.graphs.keys()]).toEqual(["fox"]);
});

test("full storage is told once, and closing the page is a risk until the work is saved", async () => {
  const { saver, seen } = start({ etag: server.put("fox", documentOf("a")), document: documentOf("a") });
  refuseStorage("QuotaExceededError");
  server.fail("PUT", "unreachable");
  saver.changed(documentOf("b"));
  await after(SAVE_DELAY);
  expect(seen.unkept).toBe(1);
  expect(saver.atRisk).toBe(true);
  await after(1000);
  expect(saver.isSaved).toBe(true);
  expect(saver.atRisk).toBe(false);
});

test("going on under another name leaves no draft behind", async () => {
  const { saver } = start({ etag: server.put("fox", documentOf("a")), document: documentOf("a") });
  server.put("fox", documentOf("theirs"));
  saver.changed(documentOf("mine"));
  await after(SAVE_DELAY);
  await saver.move("fox_2", null);
  expect(server.document("fox")).toEqual(documentOf("theirs"));
  expect(server.document("fox_2")).toEqual(documentOf("mine"));
  expect(localStorage.length).toBe(0);
});

test("a newer version is taken where nothing is lost, and is a conflict where something would be", async () => {
  const { saver, states, seen } = start({ etag: server.put("fox", documentOf("a")), document: documentOf("a") });
  await saver.refresh();
  expect(seen.newer).toBe(0);
  server.put("fox", documentOf("b"));
  await saver.refresh();
  expect(seen.newer).toBe(1);
  saver.changed(documentOf("mine"));
  await saver.refresh();
  await after(0);
  expect(states().at(-1)).toBe("conflict");
});

test("a graph that another tab has deleted is told before anything is edited", async () => {
  const { saver, states } = start({ etag: server.put("fox", documentOf("a")), document: documentOf("a") });
  server.graphs.delete("fox");
  await saver.refresh();
  expect(states()).toEqual(["conflict"]);
});

test("a closed saver keeps what is not saved and sends nothing more", async () => {
  const { saver, states } = start({ etag: server.put("fox", documentOf("a")), document: documentOf("a") });
  server.fail("PUT", "unreachable");
  saver.changed(documentOf("b"));
  await after(SAVE_DELAY);
  const before = states().length;
  saver.close();
  await after(60_000);
  expect(server.requests("PUT")).toHaveLength(1);
  expect(states()).toHaveLength(before);
  expect(draftsOf("fox")[0]?.document).toEqual(documentOf("b"));
});

test("a save under way when it is closed ends, and its draft goes", async () => {
  const { saver } = start({ etag: server.put("fox", documentOf("a")), document: documentOf("a") });
  saver.changed(documentOf("b"));
  const saving = saver.flush();
  saver.close();
  await saving;
  expect(server.document("fox")).toEqual(documentOf("b"));
  expect(draftsOf("fox")).toEqual([]);
});
