import { useState } from "react";
import { search } from "../graph/fuzzy";
import { allCommands, type Command, type CommandGroup, isEnabled, keyText, runCommand } from "../state/commands";
import { t } from "../text/text";
import { Nothing, Panel } from "./Panel";
import { Search } from "./Search";

const GROUPS: CommandGroup[] = ["file", "edit", "node", "run", "view", "help"];
const GESTURES = ["drag", "fine", "arrows", "sum", "wheel"] as const;

/** Every action with its keys, by group; a click takes it. */
export function KeysPanel() {
  const [query, setQuery] = useState("");
  const found = search(query, allCommands(), { text: (command) => [t(command.title), ...keysOf(command)] });
  const commands = found.map((hit) => hit.item);
  return (
    <Panel title={t("panel.keys")}>
      <Search query={query} setQuery={setQuery} label={t("keys.search")} />
      {commands.length === 0 && <Nothing>{t("widget.noneFound")}</Nothing>}
      {GROUPS.map((group) => (
        <Group key={group} group={group} commands={commands.filter((command) => command.group === group)} />
      ))}
      {query === "" && (
        <section>
          <h3 className="panel-heading">{t("keys.values")}</h3>
          <dl className="gestures">
            {GESTURES.map((gesture) => (
              <div key={gesture}>
                <dt>{t(`keys.${gesture}`)}</dt>
                <dd>{t(`keys.${gesture}What`)}</dd>
              </div>
            ))}
          </dl>
        </section>
      )}
    </Panel>
  );
}

function Group({ group, commands }: { group: CommandGroup; commands: readonly Command[] }) {
  if (commands.length === 0) return null;
  return (
    <section>
      <h3 className="panel-heading">{t(`commands.${group}`)}</h3>
      <ul className="command-list">
        {commands.map((command) => (
          <li key={command.id}>
            <button
              type="button"
              className="command"
              disabled={!isEnabled(command)}
              onClick={() => runCommand(command.id)}
            >
              <span>{t(command.title)}</span>
              <Keys command={command} />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The chords of a command. */
export function Keys({ command }: { command: Command }) {
  return (
    <span className="keys">
      {keysOf(command).map((key) => (
        <kbd key={key}>{key}</kbd>
      ))}
    </span>
  );
}

function keysOf(command: Command): string[] {
  return (command.keys ?? []).map((chord) => keyText(chord));
}
