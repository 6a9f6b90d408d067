import { type GraphDocument, type Json, setInput } from "./document";
import { readPort } from "./names";
import { inputValue } from "./nodes";
import { entry, sameJson } from "./records";

/** An edit by its label, and the document on its other side. */
export interface Step<Label extends string = string> {
  readonly label: Label;
  readonly doc: GraphDocument;
}

/** A document and the way back and forth, the nearest step last. Immutable: every change gives a new history. */
export interface History<Label extends string = string> {
  readonly present: GraphDocument;
  readonly past: readonly Step<Label>[];
  readonly future: readonly Step<Label>[];
  /** Edits with this key join the last step, as long as they come soon after `at` (milliseconds). */
  readonly merge: string | null;
  readonly at: number;
}

const MOST_STEPS = 500;
const JOIN_MS = 1000;

/** A document without a past. */
export function createHistory<Label extends string>(doc: GraphDocument): History<Label> {
  return { present: doc, past: [], future: [], merge: null, at: 0 };
}

/**
 * Notes an edit that has led to `doc`. Edits with the same `merge` key that follow each other within a second are one
 * step. The same document again is no step.
 */
export function record<Label extends string>(
  history: History<Label>,
  label: Label,
  doc: GraphDocument,
  merge?: string,
  now: number = Date.now(),
): History<Label> {
  if (doc === history.present) return history;
  const joins = merge !== undefined && merge === history.merge && now - history.at <= JOIN_MS;
  const past = joins ? history.past : [...history.past, { label, doc: history.present }].slice(-MOST_STEPS);
  return { present: doc, past, future: [], merge: merge ?? null, at: now };
}

/** One step back; the same history where there is none. */
export function undo<Label extends string>(history: History<Label>): History<Label> {
  const step = history.past.at(-1);
  if (step === undefined) return history;
  return {
    present: step.doc,
    past: history.past.slice(0, -1),
    future: [...history.future, { label: step.label, doc: history.present }],
    merge: null,
    at: 0,
  };
}

/** One step forward again; the same history where there is none. */
export function redo<Label extends string>(history: History<Label>): History<Label> {
  const step = history.future.at(-1);
  if (step === undefined) return history;
  return {
    present: step.doc,
    past: [...history.past, { label: step.label, doc: history.present }],
    future: history.future.slice(0, -1),
    merge: null,
    at: 0,
  };
}

/** What `undo` would take back. */
export function undoLabel<Label extends string>(history: History<Label>): Label | null {
  return history.past.at(-1)?.label ?? null;
}

/** What `redo` would do again. */
export function redoLabel<Label extends string>(history: History<Label>): Label | null {
  return history.future.at(-1)?.label ?? null;
}

/**
 * Writes values ("node.port") that nobody has typed, such as seeds that were drawn, without a step of their own: into
 * the present, and into each other state that has the same value there, so that going back changes what was edited
 * and nothing else.
 */
export function amend<Label extends string>(
  history: History<Label>,
  values: Readonly<Record<string, Json>>,
): History<Label> {
  const before = history.present;
  const change = (doc: GraphDocument) =>
    Object.entries(values).reduce((next, [path, value]) => {
      const port = readPort(path);
      const node = entry(doc.nodes, port.node);
      const known = entry(before.nodes, port.node);
      const same = sameJson(inputValue(node, port.port), inputValue(known, port.port));
      return node !== undefined && known !== undefined && same ? setInput(next, port, value) : next;
    }, doc);
  const present = change(before);
  if (present === before) return history;
  const steps = (list: readonly Step<Label>[]) => list.map(({ label, doc }) => ({ label, doc: change(doc) }));
  return { ...history, present, past: steps(history.past), future: steps(history.future) };
}
