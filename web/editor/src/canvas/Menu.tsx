import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Tint } from "../graph/document";
import { keyText } from "../state/commands";
import { Icon } from "../widgets/Icon";
import { type OpenMenu, useCanvas } from "./store";

/** A line of a menu, or what parts two groups of them. */
export type MenuEntry =
  | "line"
  | {
      title: string;
      run: () => void;
      keys?: string | undefined;
      disabled?: boolean;
      danger?: boolean;
      /** For what is on or off. */
      checked?: boolean;
      tint?: Tint;
    };

const EDGE = 8;

/** The context menu that is open, if any. */
export function ContextMenu() {
  const menu = useCanvas((state) => state.menu);
  return menu === null ? null : <Menu key={`${menu.at.x} ${menu.at.y} ${menu.label}`} menu={menu} />;
}

function Menu({ menu }: { menu: OpenMenu }) {
  const list = useRef<HTMLDivElement>(null);
  const before = useRef(document.activeElement);
  const [at, setAt] = useState(menu.at);

  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return;
    const { width, height } = element.getBoundingClientRect();
    setAt({
      x: Math.max(EDGE, Math.min(menu.at.x, window.innerWidth - width - EDGE)),
      y: Math.max(EDGE, Math.min(menu.at.y, window.innerHeight - height - EDGE)),
    });
    itemsOf(element)[0]?.focus({ preventScroll: true });
  }, [menu]);

  useEffect(() => {
    const leave = (event: PointerEvent) => {
      if (event.target instanceof Node && !list.current?.contains(event.target)) close();
    };
    window.addEventListener("pointerdown", leave, true);
    window.addEventListener("blur", close);
    return () => {
      window.removeEventListener("pointerdown", leave, true);
      window.removeEventListener("blur", close);
    };
  }, []);

  const giveBack = () => {
    close();
    if (before.current instanceof HTMLElement) before.current.focus({ preventScroll: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" || event.key === "Tab") giveBack();
    else if (!moveFocus(list.current, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div
      ref={list}
      className="menu"
      role="menu"
      aria-label={menu.label}
      tabIndex={-1}
      style={{ left: at.x, top: at.y }}
      onKeyDown={onKeyDown}
      onContextMenu={(event) => event.preventDefault()}
    >
      {menu.entries.map((entry, index) =>
        entry === "line" ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: a menu's entries never change while it is open
          <hr key={index} className="menu-line" />
        ) : (
          <button
            // biome-ignore lint/suspicious/noArrayIndexKey: as above
            key={index}
            type="button"
            {...(entry.checked === undefined
              ? { role: "menuitem" }
              : { role: "menuitemcheckbox", "aria-checked": entry.checked })}
            aria-disabled={entry.disabled}
            className={entry.danger ? "menu-item is-danger" : "menu-item"}
            tabIndex={-1}
            onPointerEnter={(event) => event.currentTarget.focus({ preventScroll: true })}
            onClick={() => {
              if (entry.disabled) return;
              giveBack();
              entry.run();
            }}
          >
            <span className="menu-mark">
              {entry.checked && <Icon name="check" size={14} />}
              {entry.tint && <span className="menu-tint" data-tint={entry.tint} />}
            </span>
            <span className="menu-title">{entry.title}</span>
            {entry.keys && <kbd className="menu-keys">{keyText(entry.keys)}</kbd>}
          </button>
        ),
      )}
    </div>
  );
}

function close(): void {
  useCanvas.setState({ menu: null });
}

function itemsOf(list: HTMLElement | null): HTMLElement[] {
  return [...(list?.querySelectorAll<HTMLElement>(".menu-item:not([aria-disabled='true'])") ?? [])];
}

/** Move to the entry that a key means; a letter goes to the next entry that begins with it. */
function moveFocus(list: HTMLElement | null, key: string): boolean {
  const items = itemsOf(list);
  const here = items.indexOf(document.activeElement as HTMLElement);
  const to = (index: number) => items[(index + items.length) % items.length]?.focus({ preventScroll: true });
  if (key === "ArrowDown") to(here + 1);
  else if (key === "ArrowUp") to(here < 0 ? -1 : here - 1);
  else if (key === "Home") to(0);
  else if (key === "End") to(-1);
  else if (key.length === 1 && key !== " ") {
    const later = [...items.slice(here + 1), ...items.slice(0, here + 1)];
    const begins = (item: HTMLElement) => item.textContent?.trim().toLowerCase().startsWith(key.toLowerCase());
    later.find(begins)?.focus({ preventScroll: true });
  } else return false;
  return true;
}
