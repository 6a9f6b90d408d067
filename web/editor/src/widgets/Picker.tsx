import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { search } from "../graph/fuzzy";
import { t } from "../text/text";
import { Icon } from "./Icon";
import { Popover } from "./Popover";

/** One thing to choose. `group` is the heading it stands under; `trouble` is why it cannot be used. */
export interface Option {
  value: string;
  title: string;
  detail?: string;
  group?: string;
  trouble?: string;
}

interface PickerProps {
  id: string;
  name: string;
  options: readonly Option[];
  value: string | null;
  choose: (value: string) => void;
  /** Whether a text that no option has may be given. */
  free?: boolean;
  /** What the button shows. */
  children: ReactNode;
  /** What it shows beside the value. */
  note?: string | undefined;
  describedBy?: string | undefined;
  /** Called when the list opens, to bring it up to date. */
  onOpen?: () => void;
}

/** A button that opens a list with a search field: for long lists, and for lists whose entries need explaining. */
export function Picker({ id, name, children, note, describedBy, onOpen, ...list }: PickerProps) {
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const shown = list.options.find((option) => option.value === list.value)?.title ?? list.value ?? t("widget.nothing");
  return (
    <>
      <button
        ref={button}
        type="button"
        id={id}
        className="picker-button nodrag"
        aria-haspopup="listbox"
        aria-expanded={open}
        aria-label={`${name}: ${shown}${note === undefined ? "" : ` ${note}`}`}
        aria-describedby={describedBy}
        onClick={() => {
          if (!open) onOpen?.();
          setOpen(!open);
        }}
      >
        {children}
        {note !== undefined && <span className="choice-kind"> {note}</span>}
        <Icon name="down" size={12} />
      </button>
      {open && (
        <Popover anchor={button} close={close} className="picker-sheet" wide>
          <Choices {...list} name={name} close={close} />
        </Popover>
      )}
    </>
  );
}

type ChoicesProps = Pick<PickerProps, "name" | "options" | "value" | "choose" | "free"> & { close: () => void };

function Choices({ name, options, value, choose, free = false, close }: ChoicesProps) {
  const listId = useId();
  const [query, setQuery] = useState("");
  const shown = found(options, query, free);
  const [active, setActive] = useState(() =>
    Math.max(
      0,
      shown.findIndex((option) => option.value === value),
    ),
  );
  const at = Math.min(active, shown.length - 1);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus({ preventScroll: true }), []); // once the sheet is shown
  const take = (option: Option | undefined) => {
    if (option === undefined) return;
    choose(option.value);
    close();
  };
  const keys = (event: KeyboardEvent) => {
    const next = moved(event.key, at, shown.length);
    if (event.key === "Enter") take(shown[at]);
    else if (event.key === "Tab") close();
    else if (next === null) return;
    else setActive(next);
    event.preventDefault();
  };
  return (
    <>
      <div className="picker-search">
        <Icon name="search" size={14} />
        <input
          ref={input}
          role="combobox"
          aria-label={free ? t("widget.searchOrType", { name }) : t("widget.searchIn", { name })}
          aria-expanded="true"
          aria-controls={listId}
          aria-activedescendant={shown[at] === undefined ? undefined : `${listId}-${at}`}
          placeholder={free ? t("widget.findOrType") : t("widget.find")}
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setActive(0);
          }}
          onKeyDown={keys}
        />
      </div>
      <div role="listbox" id={listId} aria-label={name} className="picker-list" tabIndex={-1}>
        {shown.map((option, index) => (
          <Row
            key={option.value}
            id={`${listId}-${index}`}
            option={option}
            heading={query === "" && option.group !== shown[index - 1]?.group ? option.group : undefined}
            active={index === at}
            chosen={option.value === value}
            take={() => take(option)}
          />
        ))}
        {shown.length === 0 && <p className="picker-none">{t("widget.noneFound")}</p>}
      </div>
    </>
  );
}

interface RowProps {
  id: string;
  option: Option;
  heading: string | undefined;
  active: boolean;
  chosen: boolean;
  take: () => void;
}

function Row({ id, option, heading, active, chosen, take }: RowProps) {
  return (
    <>
      {heading !== undefined && (
        <div className="picker-heading" role="presentation">
          {heading}
        </div>
      )}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the search field, which has the focus, takes the keys */}
      <div
        id={id}
        ref={active ? reveal : undefined}
        role="option"
        tabIndex={-1}
        aria-selected={chosen}
        className={`picker-option${active ? " is-active" : ""}${option.trouble === undefined ? "" : " is-broken"}`}
        onClick={take}
      >
        <span className="picker-title">{option.title}</span>
        {chosen && <Icon name="check" size={14} />}
        {option.detail !== undefined && <span className="picker-detail">{option.detail}</span>}
        {option.trouble !== undefined && (
          <span className="picker-trouble">
            <Icon name="warning" size={12} /> {option.trouble}
          </span>
        )}
      </div>
    </>
  );
}

function reveal(element: HTMLElement | null): void {
  element?.scrollIntoView?.({ block: "nearest" });
}

function found(options: readonly Option[], query: string, free: boolean): Option[] {
  const wish = query.trim();
  const hits = search(wish, options, { text: (option) => [option.title, option.group ?? "", option.detail ?? ""] });
  const listed = hits.map((hit) => hit.item);
  if (!free || wish === "" || options.some((option) => option.value === wish)) return listed;
  return [...listed, { value: wish, title: t("widget.use", { text: wish }) }];
}

function moved(key: string, at: number, count: number): number | null {
  if (key === "ArrowDown") return Math.min(at + 1, count - 1);
  if (key === "ArrowUp") return Math.max(at - 1, 0);
  if (key === "PageDown") return Math.min(at + 10, count - 1);
  if (key === "PageUp") return Math.max(at - 10, 0);
  return null;
}
