import { afterEach, beforeEach, expect, test } from "vitest";
import { allCommands, type Command, isEnabled, keyText, registerCommands, runCommand } from "./commands";
import { registerGlobalCommands } from "./globalCommands";
import { useUi } from "./ui";

let stop: () => void;

beforeEach(() => {
  stop = registerGlobalCommands();
});

afterEach(() => stop());

test("ids and keys are each taken once", () => {
  const ids = allCommands().map(({ id }) => id);
  const keys = allCommands().flatMap((command) => command.keys ?? []);
  expect(new Set(ids).size).toBe(ids.length);
  expect(new Set(keys).size).toBe(keys.length);
});

test("taking commands away leaves those that took their place", () => {
  const command = (run: () => void): Command => ({ id: "x", title: "command.save", group: "file", run });
  const first = registerCommands([command(() => {})]);
  let taken = 0;
  const take = () => {
    taken += 1;
  };
  const second = registerCommands([command(take)]);
  first();
  expect(runCommand("x")).toBe(true);
  second();
  expect(runCommand("x")).toBe(false);
  expect(taken).toBe(1);
});

test("what a command throws is told", async () => {
  const fail = async () => {
    throw new Error("It broke.");
  };
  const away = registerCommands([{ id: "x", title: "command.save", group: "file", run: fail }]);
  runCommand("x");
  await Promise.resolve();
  away();
  expect(useUi.getState().toasts.at(-1)).toMatchObject({ kind: "problem", text: "It broke." });
});

test("what cannot be done now is not done", () => {
  const undo = allCommands().find(({ id }) => id === "undo");
  expect(undo && isEnabled(undo)).toBe(false);
  expect(runCommand("undo")).toBe(false);
});

test("a panel's command opens and closes it", () => {
  runCommand("panel.queue");
  expect(useUi.getState().panel).toBe("queue");
  runCommand("panel.gallery");
  expect(useUi.getState().panel).toBe("gallery");
  runCommand("panel.gallery");
  expect(useUi.getState().panel).toBeNull();
});

test("chords are written as the system's people know them", () => {
  expect(keyText("mod+shift+z", false)).toBe("Ctrl+Shift+Z");
  expect(keyText("mod+shift+z", true)).toBe("⌘⇧Z");
  expect(keyText("mod+enter", false)).toBe("Ctrl+Enter");
  expect(keyText("alt+arrowup", false)).toBe("Alt+↑");
  expect(keyText("mod++", false)).toBe("Ctrl++");
  expect(keyText("?", false)).toBe("?");
});
