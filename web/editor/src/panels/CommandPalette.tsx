import { type KeyboardEvent, useId, useMemo, useState } from "react";
import { type Hit, search } from "../graph/fuzzy";
import { allCommands, type Command, isEnabled, runCommand } from "../state/commands";
import { useUi } from "../state/ui";
import { t } from "../text/text";
import { Icon } from "../widgets/Icon";
import { Dialog } from "./Dialog";
import { Keys } from "./KeysPanel";

/** Every action by its name (Ctrl+K): type a few letters, choose, Enter. */
export function CommandPalette() {
  const open = useUi((state) => state.commandsOpen);
  const close = () => useUi.getState().openCommands(false);
  return open ? (
    <Dialog className="commands" label={t("commands.title")} close={close}>
      <Commands close={close} />
    </Dialog>
  ) : null;
}

function Commands({ close }: { close: () => void }) {
  const id = useId();
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  // The palette itself is no news to a person who has it open.
  const commands = useMemo(() => allCommands().filter((command) => command.id !== "palette"), []);
  const hits = search(query, commands, { text: (command) => [t(command.title), t(`commands.${command.group}`)] });
  const sorted = [...hits.filter(({ item }) => isEnabled(item)), ...hits.filter(({ item }) => !isEnabled(item))];
  const at = Math.min(active, sorted.length - 1);
  const take = (command: Command | undefined) => {
    if (command === undefined || !isEnabled(command)) return;
    close();
    // after the dialog has given the focus back, so that the command finds it where it belongs
    setTimeout(() => runCommand(command.id));
  };
  const keys = (event: KeyboardEvent) => {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    if (event.key === "Enter") take(sorted[at]?.item);
    else if (steps === undefined) return;
    else setActive(Math.min(sorted.length - 1, Math.max(0, at + steps)));
    event.preventDefault();
  };
  return (
    <>
      <div className="commands-search">
        <Icon name="search" />
        <input
          // biome-ignore lint/a11y/noAutofocus: the palette was opened to type in it
          autoFocus
          role="combobox"
          aria-label={t("commands.search")}
          aria-expanded="true"
          aria-controls={id}
          aria-activedescendant={sorted[at] === undefined ? undefined : `${id}-${at}`}
          placeholder={t("commands.search")}
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setActive(0);
          }}
          onKeyDown={keys}
        />
      </div>
      <div className="commands-list" id={id} role="listbox" aria-label={t("commands.title")} tabIndex={-1}>
        {sorted.map((hit, index) => (
          <Entry key={hit.item.id} id={`${id}-${index}`} hit={hit} active={index === at} take={() => take(hit.item)} />
        ))}
        {sorted.length === 0 && <p className="picker-none">{t("widget.noneFound")}</p>}
      </div>
    </>
  );
}

function Entry({ id, hit, active, take }: { id: string; hit: Hit<Command>; active: boolean; take: () => void }) {
  const command = hit.item;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the search field, which has the focus, takes the keys
    <div
      id={id}
      ref={active ? (element) => element?.scrollIntoView?.({ block: "nearest" }) : undefined}
      role="option"
      tabIndex={-1}
      aria-selected={active}
      aria-disabled={!isEnabled(command)}
      className={`commands-entry${active ? " is-active" : ""}`}
      onClick={take}
    >
      <span className="commands-title">
        <Marked text={t(command.title)} marks={hit.marks[0] ?? []} />
      </span>
      <span className="commands-group">{t(`commands.${command.group}`)}</span>
      <Keys command={command} />
    </div>
  );
}

/** A text with the letters marked that a search has found. */
export function Marked({ text, marks }: { text: string; marks: readonly number[] }) {
  if (marks.length === 0) return text;
  const found = new Set(marks);
  const parts: { text: string; hit: boolean; at: number }[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const last = parts.at(-1);
    const letter = text.charAt(at);
    if (last !== undefined && last.hit === found.has(at)) last.text += letter;
    else parts.push({ text: letter, hit: found.has(at), at });
  }
  return parts.map((part) =>
    part.hit ? <mark key={part.at}>{part.text}</mark> : <span key={part.at}>{part.text}</span>,
  );
}
