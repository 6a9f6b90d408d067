import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { language } from "../text/text";
import { refuseStorage } from "./fakeServer";

type Module = typeof import("./preferences");
let module: Module;
let stop = () => {};

async function load(): Promise<void> {
  vi.resetModules();
  module = await import("./preferences");
}

beforeEach(() => localStorage.clear());

afterEach(() => {
  stop();
  vi.unstubAllGlobals();
});

test("choices are kept, and what is no choice is as if it had not been made", async () => {
  await load();
  module.usePreferences.getState().set({ theme: "dark", snap: true });
  await load();
  expect(module.usePreferences.getState()).toMatchObject({ theme: "dark", snap: true, minimap: true });
  for (const broken of ['{"theme": "pink", "minimap": 3}', "{", "null", "7"]) {
    localStorage.setItem("patchbay.preferences", broken);
    await load();
    expect(module.usePreferences.getState()).toMatchObject({ theme: "system", minimap: true });
  }
});

test("without storage choices hold until the page is closed", async () => {
  refuseStorage("SecurityError");
  await load();
  module.usePreferences.getState().set({ theme: "light" });
  expect(module.usePreferences.getState().theme).toBe("light");
});

test("the system decides where nothing is chosen", async () => {
  await load();
  const { shownTheme, shownLanguage } = module;
  expect([shownTheme("system", true), shownTheme("system", false), shownTheme("light", true)]).toEqual([
    "dark",
    "light",
    "light",
  ]);
  expect(shownLanguage("system", ["zh-TW", "en"])).toBe("zh");
  expect(shownLanguage("system", ["de-DE", "zh"])).toBe("zh");
  expect(shownLanguage("system", ["en-GB", "zh"])).toBe("en");
  expect(shownLanguage("system", ["de"])).toBe("en");
  expect(shownLanguage("zh", ["en"])).toBe("zh");
});

test("the page follows, also a choice made in another tab", async () => {
  await load();
  stop = module.applyPreferences();
  const { documentElement } = document;
  module.usePreferences.getState().set({ theme: "dark", language: "zh" });
  expect(documentElement.dataset.theme).toBe("dark");
  expect(documentElement.lang).toBe("zh-CN");
  localStorage.setItem("patchbay.preferences", '{"theme": "light", "language": "en"}');
  window.dispatchEvent(new StorageEvent("storage", { key: "patchbay.preferences" }));
  expect(documentElement.dataset.theme).toBe("light");
  expect(documentElement.lang).toBe("en");
  expect(language()).toBe("en");
});
