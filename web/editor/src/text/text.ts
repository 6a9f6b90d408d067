import { useSyncExternalStore } from "react";
import { canvas } from "./en/canvas";
import { form } from "./en/form";
import { graph } from "./en/graph";
import { panels } from "./en/panels";
import { state } from "./en/state";
import { widgets } from "./en/widgets";
import { canvas as zhCanvas } from "./zh/canvas";
import { form as zhForm } from "./zh/form";
import { graph as zhGraph } from "./zh/graph";
import { panels as zhPanels } from "./zh/panels";
import { state as zhState } from "./zh/state";
import { widgets as zhWidgets } from "./zh/widgets";

/** One file per area and language; a key belongs to one area. */
export const ENGLISH = { ...state, ...graph, ...canvas, ...widgets, ...panels, ...form };

/** The name of a text that people read. */
export type TextKey = keyof typeof ENGLISH;

/** What stands in a text's braces. */
export type Params = Readonly<Record<string, string | number>>;

export type Language = "en" | "zh";

/** The same texts in Chinese; a missing key is a type error here. */
export const CHINESE: Record<TextKey, string> = {
  ...zhState,
  ...zhGraph,
  ...zhCanvas,
  ...zhWidgets,
  ...zhPanels,
  ...zhForm,
};

const TABLES: Record<Language, Record<TextKey, string>> = { en: ENGLISH, zh: CHINESE };
const listeners = new Set<() => void>();
let current: Language = "en";

/**
 * The text in the language of the editor. `{name}` gives the parameter, `{count:node|nodes}` one of two words by a
 * number. Calling it while rendering is enough: the page is drawn anew when the language changes.
 */
export function t(key: TextKey, params: Params = {}): string {
  return fill(TABLES[current][key], params);
}

/** A text with its braces filled; a parameter that is not given stays visible as `{name}`. */
export function fill(text: string, params: Params): string {
  return text.replace(/\{(\w+)(?::([^|{}]*)\|([^{}]*))?\}/g, (whole, name: string, one?: string, many?: string) => {
    const value = params[name];
    if (value === undefined) {
      return whole;
    }
    return one === undefined || many === undefined ? String(value) : Number(value) === 1 ? one : many;
  });
}

/** The language that is shown. */
export function language(): Language {
  return current;
}

/** Show another language. */
export function setLanguage(wish: Language): void {
  if (wish !== current) {
    current = wish;
    for (const listener of listeners) {
      listener();
    }
  }
}

/** The language that is shown; the component is drawn again when it changes. */
export function useLanguage(): Language {
  return useSyncExternalStore(subscribe, language);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
