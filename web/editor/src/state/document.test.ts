import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { GraphDocument } from "../graph/document";
import { draftKey, draftsOf, keepDraft } from "./drafts";
import { documentOf, FakeServer, refuseStorage } from "./fakeServer";
import { SAVE_DELAY } from "./saver";

type Module = typeof import("./document");

let server: FakeServer;
let useDocument: Module["useDocument"];
let toasts: () => string[];
let stop: () => void;

/** A page of its own: fresh modules, the same browser storage and server. */
async function openPage(): Promise<void> {
  vi.resetModules();
  ({ useDocument } = await import("./document"));
  const { guardDocument } = await import("./guard");
  const { useUi } = await import("./ui");
  toasts = () => useUi.getState().toasts.map(({ text }) => text);
  stop = guardDocument();
}

beforeEach(async () => {
  vi.useFakeTimers();
  localStorage.clear();
  server = new FakeServer();
  await openPage();
});

afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const store = () => useDocument.getState();
const after = (time: number) => vi.advanceTimersByTimeAsync(time);
const write = (text: string) => store().edit("edit.rename", (doc) => ({ ...doc, nodes: documentOf(text).nodes }));
const textOf = (doc: GraphDocument | null) => doc?.nodes.prompt?.inputs?.text;

/** The page is gone between an edit and its save. */
async function crash(): Promise<void> {
  server.fail("PUT", ...Array.from({ length: 9 }, () => "unreachable" as const));
  await after(0);
  stop();
  vi.clearAllTimers();
  server.faults.length = 0;
  await openPage();
}

test("an opened graph is edited, undone, redone and saved", async () => {
  server.put("fox", documentOf("a"));
  expect(await store().open("fox")).toBe(true);
  expect(store().save.state).toBe("saved");
  expect(write("b")).toBe(true);
  expect(store().undoLabel).toBe("edit.rename");
  await after(SAVE_DELAY);
  expect(textOf(server.document("fox"))).toBe("b");
  store().undo();
  expect(textOf(store().document)).toBe("a");
  await after(SAVE_DELAY);
  expect(textOf(server.document("fox"))).toBe("a");
  store().redo();
  expect(textOf(store().document)).toBe("b");
  expect(store().redoLabel).toBeNull();
});

test("an edit that cannot be made is told and changes nothing", async () => {
  server.put("fox", documentOf("a"));
  await store().open("fox");
  const { document, revision } = store();
  const { EditError } = await import("../graph/errors");
  const refuse = () => {
    throw new EditError("edit.circle", { from: "a.out", to: "a.in" });
  };
  expect(store().edit("edit.rename", refuse)).toBe(false);
  expect(store()).toMatchObject({ document, revision, save: { state: "saved" }, undoLabel: null });
  expect(toasts()).toEqual(["A link from a.out to a.in would close a circle."]);
  expect(store().edit("edit.rename", (doc) => doc)).toBe(false);
  expect(store().undoLabel).toBeNull();
});

test("a reload between an edit and its save loses nothing, and says so", async () => {
  server.put("fox", documentOf("a"));
  await store().open("fox");
  write("b");
  await crash();
  await store().open("fox");
  expect(textOf(store().document)).toBe("b");
  expect(toasts()[0]).toMatch(/^Unsaved changes of .+ were restored\.$/);
  await after(SAVE_DELAY);
  expect(textOf(server.document("fox"))).toBe("b");
  expect(draftsOf("fox")).toEqual([]);
  store().undo();
  expect(textOf(store().document)).toBe("a");
});

test("a reload after a save whose answer was lost restores nothing, for the server has it", async () => {
  server.put("fox", documentOf("a"));
  await store().open("fox");
  server.fail("PUT", "answer lost");
  write("b");
  await after(SAVE_DELAY);
  await crash();
  await store().open("fox");
  expect(store().save.state).toBe("saved");
  expect(textOf(store().document)).toBe("b");
  expect(toasts()).toEqual([]);
  expect(draftsOf("fox")).toEqual([]);
});

test("a draft that goes on from a save whose answer was lost is no conflict", async () => {
  server.put("fox", documentOf("a"));
  await store().open("fox");
  server.fail("PUT", "answer lost");
  write("b");
  await after(SAVE_DELAY);
  write("c");
  await crash();
  await store().open("fox");
  expect(store().save.state).toBe("waiting");
  await after(SAVE_DELAY);
  expect(store().save.state).toBe("saved");
  expect(textOf(server.document("fox"))).toBe("c");
});

test("a draft and a newer version on the server are a conflict; each way out keeps what it says", async () => {
  for (const [choice, shown, saved] of [
    ["mine", "mine", "mine"],
    ["theirs", "theirs", "theirs"],
    ["copy", "mine", "theirs"],
  ] as const) {
    const etag = server.put("fox", documentOf("a"));
    server.put("fox", documentOf("theirs"));
    keepDraft({ key: draftKey("fox"), name: "fox", document: documentOf("mine"), base: etag, sent: null, at: 1 });
    await openPage();
    await store().open("fox");
    expect(store().save.state).toBe("conflict");
    expect(textOf(store().document)).toBe("mine");
    expect(textOf(store().theirs)).toBe("theirs");
    await store().resolve(choice);
    expect(store()).toMatchObject({ save: { state: "saved" }, theirs: null });
    expect(textOf(store().document)).toBe(shown);
    expect(textOf(server.document("fox"))).toBe(saved);
    expect(draftsOf("fox")).toEqual([]);
    stop();
  }
  expect(store().name).toBe("fox_2");
  expect(textOf(server.document("fox_2"))).toBe("mine");
});

test("taking the other version can be undone", async () => {
  server.put("fox", documentOf("a"));
  await store().open("fox");
  server.put("fox", documentOf("theirs"));
  write("mine");
  await after(SAVE_DELAY);
  await store().resolve("theirs");
  store().undo();
  await after(SAVE_DELAY);
  expect(textOf(server.document("fox"))).toBe("mine");
});

test("a draft of a graph that was deleted comes back only when its person says so", async () => {
  const etag = server.put("fox", documentOf("a"));
  server.graphs.delete("fox");
  const keep = () =>
    keepDraft({ key: draftKey("fox"), name: "fox", document: documentOf("b"), base: etag, sent: null, at: 1 });
  keep();
  await store().open("fox");
  expect(store()).toMatchObject({ name: "fox", theirs: null, save: { state: "conflict" } });
  await after(60_000);
  expect(server.graphs.size).toBe(0);
  await store().resolve("theirs");
  expect(store().name).toBeNull();
  expect(draftsOf("fox")).toEqual([]);
  keep();
  await store().open("fox");
  await store().resolve("mine");
  expect(textOf(server.document("fox"))).toBe("b");
});

test("a new graph that never reached the server is there again after a reload", async () => {
  server.fail("PUT", "unreachable");
  await store().create();
  write("new");
  const { name } = store();
  await crash();
  await store().open(name ?? "");
  expect(textOf(store().document)).toBe("new");
  await after(SAVE_DELAY);
  expect(textOf(server.document(name ?? ""))).toBe("new");
});

test("when the server fails on opening, the draft is shown and saved later", async () => {
  server.put("fox", documentOf("a"));
  await store().open("fox");
  write("b");
  await crash();
  server.fail("GET", 503);
  expect(await store().open("fox")).toBe(true);
  expect(textOf(store().document)).toBe("b");
  await after(SAVE_DELAY);
  expect(textOf(server.document("fox"))).toBe("b");
});

test("of two tabs with one graph the idle one follows, and the busy one is told", async () => {
  server.put("fox", documentOf("a"));
  await store().open("fox");
  server.put("fox", documentOf("b"));
  window.dispatchEvent(new Event("focus"));
  await after(0);
  expect(textOf(store().document)).toBe("b");
  expect(store().save.state).toBe("saved");
  write("c");
  server.put("fox", documentOf("d"));
  await after(SAVE_DELAY);
  expect(store().save.state).toBe("conflict");
  expect(textOf(server.document("fox"))).toBe("d");
});

test("drafts of two tabs that ended together are both found, one after the other", async () => {
  const etag = server.put("fox", documentOf("a"));
  for (const [at, text] of ["older", "newer"].entries()) {
    keepDraft({ key: draftKey("fox"), name: "fox", document: documentOf(text), base: etag, sent: null, at });
  }
  await store().open("fox");
  expect(textOf(store().document)).toBe("newer");
  await after(SAVE_DELAY);
  await openPage();
  await store().open("fox");
  expect(store().save.state).toBe("conflict");
  expect(textOf(store().document)).toBe("older");
});

test("a graph that can be neither saved nor kept is not left, and the page warns before it closes", async () => {
  server.put("fox", documentOf("a"));
  server.put("owl", documentOf("o"));
  await store().open("fox");
  refuseStorage("QuotaExceededError");
  server.fail("PUT", "unreachable", "unreachable");
  write("b");
  await after(SAVE_DELAY);
  const closing = new Event("beforeunload", { cancelable: true });
  window.dispatchEvent(closing);
  expect(closing.defaultPrevented).toBe(true);
  expect(await store().open("owl")).toBe(false);
  expect(store().name).toBe("fox");
  expect(toasts().at(-1)).toMatch(/^fox could neither be saved/);
  expect(await store().open("owl")).toBe(true);
  expect(textOf(server.document("fox"))).toBe("b");
});

test("another graph can be opened while the first one waits for the server; its edits are not lost", async () => {
  server.put("fox", documentOf("a"));
  server.put("owl", documentOf("o"));
  await store().open("fox");
  server.fail("PUT", ...Array.from({ length: 9 }, () => "unreachable" as const));
  write("b");
  await store().open("owl");
  expect(store()).toMatchObject({ name: "owl", save: { state: "saved" } });
  server.faults.length = 0;
  await store().open("fox");
  expect(textOf(store().document)).toBe("b");
  await after(SAVE_DELAY);
  expect(textOf(server.document("fox"))).toBe("b");
});

test("of two graphs opened at once the last one counts", async () => {
  server.put("fox", documentOf("a"));
  server.put("owl", documentOf("o"));
  const [first, second] = await Promise.all([store().open("fox"), store().open("owl")]);
  expect([first, second]).toEqual([false, true]);
  expect(store()).toMatchObject({ name: "owl", opening: null });
});

test("a graph that is not there is told, and what is open stays", async () => {
  server.put("fox", documentOf("a"));
  await store().open("fox");
  expect(await store().open("nobody")).toBe(false);
  expect(store()).toMatchObject({ name: "fox", opening: null });
  expect(toasts()).toEqual(["There is no graph nobody."]);
});

test("a document becomes a graph under a free name", async () => {
  server.put("red_fox", documentOf("a"));
  await store().openDocument({ ...documentOf("b"), name: "Red fox" });
  expect(store()).toMatchObject({ name: "red_fox_2", save: { state: "saved" } });
  expect(textOf(server.document("red_fox_2"))).toBe("b");
  expect(textOf(server.document("red_fox"))).toBe("a");
  await store().create();
  expect(store().name).toBe("untitled");
});

test("an edit before any graph is open begins one", async () => {
  expect(write("first")).toBe(true);
  expect(store().name).toBe("untitled");
  await after(SAVE_DELAY);
  expect(textOf(server.document("untitled"))).toBe("first");
});

test("another title is another name: the graph moves and the shipped one stays", async () => {
  server.put("fox", documentOf("a"));
  await store().open("fox");
  await store().renameGraph("Red fox");
  expect(store()).toMatchObject({ name: "red_fox", renamedFrom: "fox", save: { state: "saved" } });
  expect(server.document("red_fox")).toEqual({ ...documentOf("a"), name: "Red fox" });
  expect([...server.graphs.keys()]).toEqual(["red_fox"]);
  await store().renameGraph("红狐狸");
  expect(store()).toMatchObject({ name: "red_fox", document: { name: "红狐狸" } });
  await after(SAVE_DELAY);
  server.put("text_to_image", documentOf("t"), true);
  await store().open("text_to_image");
  const first = server.graphs.get("text_to_image");
  first && server.graphs.set("text_to_image", { ...first, shipped: true });
  await store().renameGraph("Mine");
  expect(store().name).toBe("mine");
});

test("a drawn seed is shown and saved without a step of its own", async () => {
  server.put("fox", { version: 1, nodes: { sample: { type: "Sample", inputs: { seed: 1, steps: 20 } } } });
  await store().open("fox");
  store().edit("edit.rename", (doc) => ({
    ...doc,
    nodes: { sample: { type: "Sample", inputs: { seed: 1, steps: 30 } } },
  }));
  store().amend("fox", { "sample.seed": 77 });
  expect(store().document.nodes.sample?.inputs).toEqual({ seed: 77, steps: 30 });
  store().undo();
  expect(store().document.nodes.sample?.inputs).toEqual({ seed: 77, steps: 20 });
  store().amend("another", { "sample.seed": 5 });
  expect(store().document.nodes.sample?.inputs?.seed).toBe(77);
  await after(SAVE_DELAY);
  expect(server.document("fox")?.nodes.sample?.inputs?.seed).toBe(77);
});

test("a deleted graph is not open any more, and its draft is gone", async () => {
  const etag = server.put("fox", documentOf("a"));
  await store().open("fox");
  await store().deleteGraph("fox", etag);
  expect(store()).toMatchObject({ name: null, undoLabel: null });
  await after(60_000);
  expect(server.graphs.size).toBe(0);
});
