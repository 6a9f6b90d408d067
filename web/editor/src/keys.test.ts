import { afterEach, beforeEach, expect, test } from "vitest";
import { chordOf, counts, listenToKeys } from "./keys";
import { registerCommands } from "./state/commands";

let stops: (() => void)[] = [];

beforeEach(() => {
  document.body.innerHTML = `
    <input id="text" type="text"><input id="check" type="checkbox"><textarea id="area"></textarea>
    <button id="button">B</button>
    <div id="canvas" data-keys="canvas" tabindex="0"><div id="node" tabindex="0"></div></div>`;
});

afterEach(() => {
  for (const stop of stops) {
    stop();
  }
  stops = [];
});

const key = (name: string, more: KeyboardEventInit = {}) => new KeyboardEvent("keydown", { key: name, ...more });
const at = (id: string): Element => {
  const found = document.getElementById(id);
  if (found === null) {
    throw new Error(id);
  }
  return found;
};

test("chords are written one way, whatever the keyboard", () => {
  expect(chordOf(key("z", { ctrlKey: true, code: "KeyZ" }), false)).toBe("mod+z");
  expect(chordOf(key("Z", { ctrlKey: true, shiftKey: true, code: "KeyZ" }), false)).toBe("mod+shift+z");
  expect(chordOf(key("z", { metaKey: true, code: "KeyZ" }), true)).toBe("mod+z");
  expect(chordOf(key("A", { shiftKey: true, code: "KeyA" }), false)).toBe("shift+a");
  expect(chordOf(key("?", { shiftKey: true, code: "Slash" }), false)).toBe("?");
  expect(chordOf(key("Delete"), false)).toBe("delete");
  expect(chordOf(key("Tab", { shiftKey: true }), false)).toBe("shift+tab");
  expect(chordOf(key(" ", { code: "Space" }), false)).toBe("space");
  expect(chordOf(key("ArrowUp", { altKey: true }), false)).toBe("alt+arrowup");
  expect(chordOf(key("≈", { altKey: true, code: "KeyX" }), true)).toBe("alt+x");
  expect(chordOf(key("я", { ctrlKey: true, code: "KeyZ" }), false)).toBe("mod+z");
  expect(chordOf(key(".", { ctrlKey: true, code: "Period" }), false)).toBe("mod+.");
});

test("modifiers alone and keys of an input method are no chords", () => {
  expect(chordOf(key("Control", { ctrlKey: true }))).toBeNull();
  expect(chordOf(key("Enter", { isComposing: true }))).toBeNull();
  expect(chordOf(key("Process", { keyCode: 229 }))).toBeNull();
});

test("text fields keep plain keys and the chords of editing", () => {
  for (const id of ["text", "area"]) {
    expect(["a", "delete", "shift+a", "mod+z", "mod+v"].filter((chord) => counts(chord, undefined, at(id)))).toEqual(
      [],
    );
    expect(["mod+s", "mod+enter", "mod+k"].every((chord) => counts(chord, undefined, at(id)))).toBe(true);
  }
  expect(counts("mod+z", undefined, at("check"))).toBe(true);
});

test("buttons keep Enter, Space and arrows", () => {
  expect(["enter", "space", "arrowdown"].filter((chord) => counts(chord, undefined, at("button")))).toEqual([]);
  expect(counts("q", undefined, at("button"))).toBe(true);
});

test("the canvas' keys need the focus there or nowhere", () => {
  expect(counts("delete", "canvas", at("node"))).toBe(true);
  expect(counts("delete", "canvas", document.body)).toBe(true);
  expect(counts("delete", "canvas", at("button"))).toBe(false);
});

test("Tab walks between nodes and opens something only from the canvas itself", () => {
  expect(counts("tab", "canvas", at("canvas"))).toBe(true);
  expect(counts("tab", "canvas", at("node"))).toBe(false);
  expect(counts("tab", "canvas", at("button"))).toBe(false);
  expect(counts("tab", "canvas", document.body)).toBe(false);
});

test("an open dialog keeps every key", () => {
  document.body.insertAdjacentHTML("beforeend", '<div role="dialog" aria-modal="true"></div>');
  expect(counts("mod+s", undefined, document.body)).toBe(false);
});

test("a key takes the first enabled command, unless somebody has handled it", () => {
  const taken: string[] = [];
  const take = (id: string, enabled = true) => ({
    id,
    title: "command.save" as const,
    group: "file" as const,
    keys: ["mod+s"],
    enabled: () => enabled,
    run: () => void taken.push(id),
  });
  stops = [registerCommands([take("off", false), take("on")]), listenToKeys()];
  const press = (prevent: boolean) => {
    const event = key("s", { ctrlKey: true, code: "KeyS", bubbles: true, cancelable: true });
    if (prevent) {
      event.preventDefault();
    }
    document.body.dispatchEvent(event);
    return event.defaultPrevented;
  };
  expect(press(false)).toBe(true);
  press(true);
  expect(taken).toEqual(["on"]);
});

test("the browser's page saving never opens", () => {
  stops = [listenToKeys()];
  const event = key("s", { ctrlKey: true, code: "KeyS", bubbles: true, cancelable: true });
  document.body.dispatchEvent(event);
  expect(event.defaultPrevented).toBe(true);
});
