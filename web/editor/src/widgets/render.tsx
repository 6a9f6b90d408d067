import axe from "axe-core";
import { act, type ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";

/** For tests: what is drawn, how to act on it, and what axe says of it. */
export interface Drawn {
  /** The first element that matches, which must be there. */
  find<E extends HTMLElement>(selector: string): E;
  redraw(node: ReactNode): Promise<void>;
  /** Type a text into a field as a person does, in place of what is there. */
  type(field: HTMLInputElement | HTMLTextAreaElement, text: string): Promise<void>;
  press(element: HTMLElement, key: string, more?: KeyboardEventInit): Promise<void>;
  click(element: HTMLElement): Promise<void>;
  leave(element: HTMLElement): Promise<void>;
}

/** Rules about whole pages, and one that needs a real browser. */
const OF_PAGES = ["color-contrast", "region", "landmark-one-main", "page-has-heading-one"];

let drawn: Root | null = null;

/** Draw a component into an empty page. */
export async function render(node: ReactNode): Promise<Drawn> {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  await clear();
  document.body.innerHTML = "<div></div>";
  const root = createRoot(document.querySelector("div") ?? document.body);
  drawn = root;
  await act(async () => root.render(node));
  return {
    find: <E extends HTMLElement>(selector: string) => {
      const found = document.querySelector<E>(selector);
      if (found === null) throw new Error(`There is no ${selector} in ${document.body.innerHTML}`);
      return found;
    },
    redraw: (next) => act(async () => root.render(next)),
    type: (field, text) =>
      act(async () => {
        field.focus();
        const kind = field instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
        // React notices a change only when the field's own setter is gone round
        Object.getOwnPropertyDescriptor(kind.prototype, "value")?.set?.call(field, text);
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }),
    press: (element, key, more = {}) =>
      act(async () => {
        element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
      }),
    click: (element) => act(async () => element.click()),
    leave: (element) =>
      act(async () => {
        element.blur();
      }),
  };
}

/** Take away what was drawn: for after each test, so that the stores can be set anew. */
export async function clear(): Promise<void> {
  const old = drawn;
  drawn = null;
  if (old !== null) await act(async () => old.unmount());
}

/** What axe finds, by rule and element. */
export async function findings(): Promise<string[]> {
  const { violations } = await axe.run(document.body, {
    rules: Object.fromEntries(OF_PAGES.map((rule) => [rule, { enabled: false }])),
  });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
