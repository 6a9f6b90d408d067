import type { Json } from "../graph/catalog";
import { type GraphDocument, setInput, setSeedMode } from "../graph/document";
import type { FormInput } from "../graph/interface";
import { readLink } from "../graph/links";
import { portPath } from "../graph/names";
import { checkValue, widgetOf } from "../graph/schema";
import type { SeedMode } from "../widgets/field";

/** What a person has filled in, by public name. What is not here is as the graph has it. */
export interface Filled {
  values: Record<string, Json>;
  seeds: Record<string, SeedMode>;
}

export const NOTHING: Filled = { values: {}, seeds: {} };

/** What was filled in for a graph in this browser; values that an input would refuse by now are left out. */
export function readFilled(graph: string, inputs: readonly FormInput[]): Filled {
  const kept = stored(graph);
  const values = inputs.flatMap(({ name, type }): [string, Json][] => {
    const value = kept.values[name];
    return value !== undefined && checkValue(type, value) === null ? [[name, value]] : [];
  });
  const seeds = inputs.flatMap(({ name, type }): [string, SeedMode][] => {
    const mode = kept.seeds[name];
    return mode !== undefined && widgetOf(type).is === "seed" ? [[name, mode]] : [];
  });
  return { values: Object.fromEntries(values), seeds: Object.fromEntries(seeds) };
}

/** Keep what was filled in. A browser without storage forgets it with the page. */
export function keepFilled(graph: string, filled: Filled): void {
  try {
    localStorage.setItem(keyOf(graph), JSON.stringify(filled));
  } catch {
    // it holds until the page is closed
  }
}

/** The graph as it is to run: with what was filled in. The saved graph stays as it is. */
export function filledDocument(
  doc: GraphDocument,
  inputs: readonly FormInput[],
  { values, seeds }: Filled,
): GraphDocument {
  return inputs.reduce((before, { name, port }) => {
    const value = values[name];
    const mode = seeds[name];
    const set = value === undefined ? before : setInput(before, port, value);
    return mode === undefined ? set : setSeedMode(set, port, mode);
  }, doc);
}

/** The seeds that a run has drawn, by public name. */
export function drawnNames(
  drawn: Readonly<Record<string, number>>,
  inputs: readonly FormInput[],
): Record<string, number> {
  const found = inputs.flatMap(({ name, port }): [string, number][] => {
    const seed = drawn[portPath(port)];
    return seed === undefined ? [] : [[name, seed]];
  });
  return Object.fromEntries(found);
}

/** The value an input shows: what was filled in, else the graph's. A link of the graph is no value to show. */
export function shownValue({ name, value }: FormInput, { values }: Filled): Json | undefined {
  const filled = values[name];
  return filled === undefined ? (value === undefined || readLink(value) !== null ? undefined : value) : filled;
}

function keyOf(graph: string): string {
  return `patchbay.form.${graph}`;
}

function stored(graph: string): Filled {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(keyOf(graph)) ?? "null");
    return isFilled(found) ? found : NOTHING;
  } catch {
    return NOTHING;
  }
}

function isFilled(value: unknown): value is Filled {
  const { values, seeds } = (value ?? {}) as Partial<Filled>;
  return typeof values === "object" && values !== null && typeof seeds === "object" && seeds !== null;
}
