import type { TextKey } from "../text/text";
import { report } from "./ui";

export type CommandGroup = "file" | "edit" | "view" | "run" | "node" | "help";

/** An action that a person can take by key, palette or menu. */
export interface Command {
  id: string;
  title: TextKey;
  group: CommandGroup;
  /** Chords such as "mod+z", "shift+a", "tab", "delete"; "mod" is Ctrl, on a Mac Cmd. The first one is shown. */
  keys?: readonly string[];
  /** Where its keys work: everywhere, or only with the focus in an element marked `data-keys="canvas"` (or nowhere). */
  where?: "canvas";
  enabled?: () => boolean;
  run: () => void | Promise<void>;
}

const commands = new Map<string, Command>();

/** Add commands; the last one of an id counts. Returns how to take them away again. */
export function registerCommands(list: readonly Command[]): () => void {
  for (const command of list) {
    commands.set(command.id, command);
  }
  return () => {
    for (const command of list) {
      if (commands.get(command.id) === command) {
        commands.delete(command.id);
      }
    }
  };
}

/** All commands in the order in which they were registered. */
export function allCommands(): Command[] {
  return [...commands.values()];
}

/** Whether a command can be taken now. */
export function isEnabled(command: Command): boolean {
  return command.enabled?.() ?? true;
}

/** Take an action by its id; what it throws is told. Returns whether there was one to take. */
export function runCommand(id: string): boolean {
  const command = commands.get(id);
  if (command === undefined || !isEnabled(command)) {
    return false;
  }
  void attempt(command);
  return true;
}

async function attempt(command: Command): Promise<void> {
  try {
    await command.run();
  } catch (error) {
    report(error);
  }
}

const MARKS: Record<string, string> = { mod: "⌘", alt: "⌥", shift: "⇧", ctrl: "⌃" };
const NAMES: Record<string, string> = {
  mod: "Ctrl",
  ctrl: "Ctrl",
  alt: "Alt",
  shift: "Shift",
  delete: "Del",
  backspace: "Backspace",
  escape: "Esc",
  arrowup: "↑",
  arrowdown: "↓",
  arrowleft: "←",
  arrowright: "→",
  " ": "Space",
  space: "Space",
};

/** Whether this is a Mac, where Cmd takes the part of Ctrl. */
export function isMac(): boolean {
  return /mac|iphone|ipad/i.test(navigator.platform);
}

/** A chord as people write it: "mod+z" is "Ctrl+Z", on a Mac "⌘Z". */
export function keyText(chord: string, mac = isMac()): string {
  const parts = chord.replace(/\+\+$/, "+plus").split("+");
  const names = parts.map((part) => {
    const mark = mac ? MARKS[part] : undefined;
    return mark ?? NAMES[part] ?? (part === "plus" ? "+" : part.charAt(0).toUpperCase() + part.slice(1));
  });
  return names.join(mac ? "" : "+");
}
