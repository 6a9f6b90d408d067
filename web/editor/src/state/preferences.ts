import { create } from "zustand";
import { type Language, setLanguage } from "../text/text";

export type Theme = "dark" | "light" | "system";
export type LanguageWish = Language | "system";

/** What a person has chosen for this browser. */
export interface Preferences {
  theme: Theme;
  language: LanguageWish;
  minimap: boolean;
  snap: boolean;
}

interface PreferencesStore extends Preferences {
  /** Change some; they are kept in this browser and seen in its other tabs. */
  set(change: Partial<Preferences>): void;
}

const KEY = "patchbay.preferences";
const DEFAULTS: Preferences = { theme: "system", language: "system", minimap: true, snap: false };

export const usePreferences = create<PreferencesStore>((set, get) => ({
  ...readPreferences(),
  set(change) {
    set(change);
    const { theme, language, minimap, snap } = get();
    try {
      localStorage.setItem(KEY, JSON.stringify({ theme, language, minimap, snap }));
    } catch {
      // without storage they hold until the page is closed
    }
  },
}));

/** The theme that is shown, "system" resolved. */
export function shownTheme(theme: Theme, systemIsDark: boolean): "dark" | "light" {
  return theme === "system" ? (systemIsDark ? "dark" : "light") : theme;
}

/** The language that is shown, "system" resolved by the browser's list. */
export function shownLanguage(wish: LanguageWish, languages: readonly string[]): Language {
  if (wish !== "system") {
    return wish;
  }
  const known = languages.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag === "zh" || tag === "en");
  return known === "zh" ? "zh" : "en";
}

/** Let the page follow the preferences, the system and the other tabs; returns how to stop. */
export function applyPreferences(): () => void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const { theme, language } = usePreferences.getState();
    const shown = shownLanguage(language, navigator.languages);
    setLanguage(shown);
    document.documentElement.lang = shown === "zh" ? "zh-CN" : "en";
    document.documentElement.dataset.theme = shownTheme(theme, dark.matches);
  };
  const hear = (event: StorageEvent) => {
    if (event.key === KEY) {
      usePreferences.setState(readPreferences());
    }
  };
  apply();
  const stop = usePreferences.subscribe(apply);
  dark.addEventListener("change", apply);
  window.addEventListener("storage", hear);
  window.addEventListener("languagechange", apply);
  return () => {
    stop();
    dark.removeEventListener("change", apply);
    window.removeEventListener("storage", hear);
    window.removeEventListener("languagechange", apply);
  };
}

function readPreferences(): Preferences {
  let found: Record<string, unknown> = {};
  try {
    found = JSON.parse(localStorage.getItem(KEY) ?? "{}") ?? {};
  } catch {
    // what cannot be read is as if it had not been chosen
  }
  return {
    theme: oneOf(["dark", "light", "system"], found.theme, DEFAULTS.theme),
    language: oneOf(["en", "zh", "system"], found.language, DEFAULTS.language),
    minimap: typeof found.minimap === "boolean" ? found.minimap : DEFAULTS.minimap,
    snap: typeof found.snap === "boolean" ? found.snap : DEFAULTS.snap,
  };
}

function oneOf<T extends string>(known: readonly T[], value: unknown, otherwise: T): T {
  return known.find((item) => item === value) ?? otherwise;
}
