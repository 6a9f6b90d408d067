import { expect, test } from "vitest";
import { emptyDocument, type GraphDocument, removeNodes, renameNode, setInput } from "./document";
import { amend, createHistory, type History, record, redo, redoLabel, undo, undoLabel } from "./history";
import { documents } from "./testTable";

const named = (name: string): GraphDocument => emptyDocument(name);

/** The same number for the same seed. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

test("undo after an edit gives the very document of before, redo the one of after", () => {
  for (const [seed, start] of documents.slice(0, 30).entries()) {
    const roll = dice(seed + 1);
    const states = [start];
    let history: History = createHistory(start);
    for (let step = 0; step < 20; step += 1) {
      const doc = edited(history.present, roll);
      if (doc !== history.present) states.push(doc);
      history = record(history, `edit ${step}`, doc, undefined, 0);
    }
    for (const state of states.toReversed()) {
      expect(history.present).toBe(state);
      history = undo(history);
    }
    expect(undo(history)).toBe(history);
    for (const state of states) {
      expect(history.present).toBe(state);
      history = redo(history);
    }
    expect(redo(history)).toBe(history);
  }
});

function edited(doc: GraphDocument, roll: () => number): GraphDocument {
  const ids = Object.keys(doc.nodes);
  const id = ids[Math.floor(roll() * ids.length)];
  if (id === undefined) return { ...doc };
  const choice = roll();
  if (choice < 0.1) return removeNodes(doc, [id]);
  if (choice < 0.3) return renameNode(doc, id, `n${Math.floor(roll() * 1e9)}`);
  return setInput(doc, { node: id, port: "x" }, Math.floor(roll() * 3));
}

test("edits with one key within a second are one step, later ones and those after an undo are not", () => {
  let history: History = createHistory(named("0"));
  history = record(history, "move", named("1"), "drag", 1000);
  history = record(history, "move", named("2"), "drag", 1900);
  history = record(history, "move", named("3"), "drag", 2800);
  expect(history.past).toHaveLength(1);
  history = record(history, "move", named("4"), "drag", 3900);
  expect(history.past).toHaveLength(2);
  history = record(history, "type", named("5"), "text", 3950);
  expect(history.past).toHaveLength(3);
  history = record(undo(history), "type", named("6"), "text", 3960);
  expect(history.past).toHaveLength(3);
  expect(undo(undo(undo(history))).present.name).toBe("0");
});

test("labels say what comes back and what comes again", () => {
  let history: History<"add" | "move"> = createHistory(named("0"));
  expect([undoLabel(history), redoLabel(history)]).toEqual([null, null]);
  history = record(record(history, "add", named("1")), "move", named("2"));
  expect([undoLabel(history), redoLabel(history)]).toEqual(["move", null]);
  history = undo(history);
  expect([undoLabel(history), redoLabel(history)]).toEqual(["add", "move"]);
  history = record(history, "add", named("3"));
  expect(redoLabel(history)).toBe(null);
});

test("the same document is no step, and there are at most 500", () => {
  let history: History = createHistory(named("start"));
  expect(record(history, "nothing", history.present)).toBe(history);
  for (let step = 0; step < 510; step += 1) history = record(history, "edit", named(String(step)));
  expect(history.past).toHaveLength(500);
  expect(history.past[0]?.doc.name).toBe("9");
});

test("a drawn seed is written into every state that had the old one, and into no other", () => {
  const seed = (value: number, name = "") => ({ ...named(name), nodes: { a: { type: "T", inputs: { seed: value } } } });
  let history: History = createHistory(seed(1));
  history = record(history, "type", seed(2));
  history = record(history, "name", seed(2, "x"));
  history = undo(record(history, "name", seed(2, "y")));
  const before = history;
  history = amend(history, { "a.seed": 9, "gone.seed": 3 });
  expect(history.present).toEqual(seed(9, "x"));
  expect(redo(history).present).toEqual(seed(9, "y"));
  expect(undo(history).present).toEqual(seed(9));
  expect(undo(undo(history)).present).toEqual(seed(1));
  expect(history.past).toHaveLength(before.past.length);
  expect(amend(history, { "a.seed": 9 })).toBe(history);
});
