import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Draft, draftKey, draftsOf, dropDraft, dropDrafts, keepDraft, randomId } from "./drafts";
import { documentOf, refuseStorage } from "./fakeServer";

beforeEach(() => localStorage.clear());
afterEach(() => vi.unstubAllGlobals());

const draft = (key: string, at: number, name = "fox"): Draft => {
  return { key, name, document: documentOf(String(at)), base: null, sent: null, at };
};

test("pages do not take each other's drafts, and the newest comes first", () => {
  const [one, two] = [draftKey("fox"), draftKey("fox")];
  expect(one).not.toBe(two);
  keepDraft(draft(one, 1));
  keepDraft(draft(two, 2));
  keepDraft(draft(draftKey("fox_2"), 3, "fox_2"));
  expect(draftsOf("fox").map(({ at }) => at)).toEqual([2, 1]);
});

test("what is no draft is left alone", () => {
  localStorage.setItem("patchbay.draft.fox.x", "{broken");
  localStorage.setItem("patchbay.draft.fox.y", '{"name": "fox"}');
  expect(draftsOf("fox")).toEqual([]);
  expect(localStorage.length).toBe(2);
});

test("a draft that was written again since it was read is not forgotten", () => {
  const key = draftKey("fox");
  keepDraft(draft(key, 1));
  const read = draftsOf("fox");
  keepDraft(draft(key, 2));
  dropDrafts(read);
  expect(draftsOf("fox").map(({ at }) => at)).toEqual([2]);
  dropDrafts(draftsOf("fox"));
  expect(draftsOf("fox")).toEqual([]);
});

test("a browser without storage keeps nothing and says so", () => {
  refuseStorage("SecurityError");
  expect(keepDraft(draft("patchbay.draft.fox.z", 1))).toBeNull();
  dropDraft("patchbay.draft.fox.z");
  expect(draftsOf("fox")).toEqual([]);
});

test("random ids differ", () => {
  expect(new Set(Array.from({ length: 100 }, randomId)).size).toBe(100);
});
