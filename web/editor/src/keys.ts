import { allCommands, isEnabled, isMac, runCommand } from "./state/commands";

/** Chords that a text field needs itself. */
const FIELD_CHORDS = new Set(["mod+z", "mod+shift+z", "mod+y", "mod+x", "mod+c", "mod+v", "mod+a"]);

const TEXT_INPUTS = new Set(["text", "search", "number", "url", "email", "password", "tel"]);

/**
 * The chord that an event is, as commands write it: "mod+shift+z". Null for a modifier alone and for keys that belong
 * to an input method, such as Enter that ends the writing of a Chinese word.
 */
export function chordOf(event: KeyboardEvent, mac = isMac()): string | null {
  const key = event.key.toLowerCase();
  if (event.isComposing || event.keyCode === 229 || ["control", "shift", "alt", "meta", "altgraph"].includes(key)) {
    return null;
  }
  const named = keyName(event, key);
  const mod = mac ? event.metaKey : event.ctrlKey;
  const other = mac ? event.ctrlKey : event.metaKey;
  const shift = event.shiftKey && (key.length > 1 || key === " " || named !== key || isLetter(named));
  const parts = [mod && "mod", other && "ctrl", event.altKey && "alt", shift && "shift", named];
  return parts.filter(Boolean).join("+");
}

/** The key's name. Letters and digits are named by their place where the layout writes no Latin letter there. */
function keyName(event: KeyboardEvent, key: string): string {
  const latin = /^[ -~]$/.test(key) || key.length > 1;
  const place = /^(?:Key|Digit)(\w)$/.exec(event.code)?.[1]?.toLowerCase();
  if (place !== undefined && (!latin || event.altKey || (event.code.startsWith("Digit") && !event.shiftKey))) {
    return place;
  }
  return key === " " ? "space" : key;
}

function isLetter(key: string): boolean {
  return /^\p{L}$/u.test(key);
}

/** Whether a person types text into this element. */
export function isTextField(element: Element | null): boolean {
  if (element instanceof HTMLInputElement) {
    return TEXT_INPUTS.has(element.type);
  }
  return element instanceof HTMLTextAreaElement || (element instanceof HTMLElement && element.isContentEditable);
}

/** Whether the element answers to plain keys itself, as buttons do to Enter and lists to arrows. */
function answersItself(element: Element): boolean {
  const own =
    "button, a[href], input, select, summary, [role='button'], [role='option'], [role='menuitem'], [role='tab'], [role='slider'], [role='listbox']";
  return element.matches(own);
}

/** Chords that walk from one thing to the next, unless the focus is on the canvas or on a thing on it. */
const MOVES_FOCUS = new Set(["tab", "shift+tab"]);

/**
 * Whether a command's chord counts where the focus is. Text fields keep plain keys and the chords of editing, buttons
 * keep Enter and Space, an open dialog keeps everything. A command of the canvas needs the focus in an element with
 * `data-keys="canvas"` or nowhere. Tab counts only from such an element itself: from anywhere else it walks on.
 */
export function counts(chord: string, where: "canvas" | undefined, focus: Element | null): boolean {
  if (document.querySelector("dialog[open], [aria-modal='true']") !== null) {
    return false;
  }
  const nowhere = focus === null || focus === document.body || focus === document.documentElement;
  if (nowhere) {
    return !MOVES_FOCUS.has(chord);
  }
  if (isTextField(focus) && (!chord.startsWith("mod+") || FIELD_CHORDS.has(chord))) {
    return false;
  }
  if (answersItself(focus) && /^(shift\+)?(enter|space|arrow\w+|home|end)$/.test(chord)) {
    return false;
  }
  if (MOVES_FOCUS.has(chord)) {
    return where === "canvas" && focus.matches("[data-keys='canvas']");
  }
  return where === undefined || focus.closest("[data-keys='canvas']") !== null;
}

/** Let keys take the commands; returns how to stop. What a component has handled itself is left alone. */
export function listenToKeys(target: Window = window): () => void {
  const hear = (event: KeyboardEvent) => {
    const chord = event.defaultPrevented ? null : chordOf(event);
    if (chord === null) {
      return;
    }
    const focus = event.target instanceof Element ? event.target : null;
    const command = allCommands().find(
      (item) => item.keys?.includes(chord) && counts(chord, item.where, focus) && isEnabled(item),
    );
    if (command !== undefined && runCommand(command.id)) {
      event.preventDefault();
    } else if (chord === "mod+s") {
      event.preventDefault(); // the browser's "save page" is never what is meant here
    }
  };
  target.addEventListener("keydown", hear);
  return () => target.removeEventListener("keydown", hear);
}
