import { useCallback, useEffect, useState } from "react";
import type { GraphDocument } from "../graph/document";
import { search } from "../graph/fuzzy";
import { api, type GraphEntry } from "../state/api";
import { useDocument } from "../state/document";
import { report } from "../state/ui";
import { t } from "../text/text";
import { Icon } from "../widgets/Icon";
import { IconButton } from "../widgets/IconButton";
import { Nothing, Panel } from "./Panel";
import { Search } from "./Search";
import { agoText, timeText } from "./times";
import { Versions } from "./Versions";

/** What was just taken away, and can be brought back. */
interface Removed {
  name: string;
  document: GraphDocument;
}

/** The saved graphs and the templates: open, begin anew, copy, take away, go back to an earlier version. */
export function GraphsPanel() {
  const [query, setQuery] = useState("");
  const [removed, setRemoved] = useState<Removed | null>(null);
  const { entries, look } = useGraphs();
  const create = () => useDocument.getState().create().then(look, report);
  const shown = search(query, entries ?? [], {
    text: ({ title, name, description }) => [title || name, name, description],
  });
  const own = shown.map(({ item }) => item).filter((entry) => !entry.shipped);
  const shipped = shown.map(({ item }) => item).filter((entry) => entry.shipped);
  const sorted = query === "" ? own.toSorted((a, b) => changed(b) - changed(a)) : own;
  const remove = async (entry: GraphEntry) => {
    try {
      const saved = await api.graph(entry.name);
      await useDocument.getState().deleteGraph(entry.name, saved?.etag ?? entry.etag);
      if (saved !== null) setRemoved({ name: entry.name, document: saved.document });
      await look();
    } catch (error) {
      report(error);
    }
  };
  const restore = async ({ name, document }: Removed) => {
    try {
      // A template of the same name shows again once the own graph is gone; it is what the copy goes on from.
      const there = await api.graph(name).catch(() => null);
      await api.saveGraph(name, document, there === null ? { none: true } : { match: there.etag });
      setRemoved(null);
      await look();
    } catch (error) {
      report(error);
    }
  };
  return (
    <Panel
      title={t("panel.graphs")}
      actions={<IconButton icon="plus" label={t("command.new")} onClick={() => void create()} small />}
    >
      <Search query={query} setQuery={setQuery} label={t("graphs.search")} />
      {removed !== null && (
        <div className="banner" role="status">
          <p>{t("graphs.removed", { name: removed.name })}</p>
          <button type="button" className="quiet-button" onClick={() => void restore(removed)}>
            <Icon name="undo" size={14} /> {t("graphs.restore")}
          </button>
        </div>
      )}
      {entries !== null && shown.length === 0 && (
        <Nothing>{t(query === "" ? "graphs.none" : "widget.noneFound")}</Nothing>
      )}
      {sorted.length > 0 && (
        <section>
          <h3 className="panel-heading">{t("graphs.own")}</h3>
          <ul className="graphs">
            {sorted.map((entry) => (
              <Own key={entry.name} entry={entry} look={look} remove={() => void remove(entry)} />
            ))}
          </ul>
        </section>
      )}
      {shipped.length > 0 && (
        <section>
          <h3 className="panel-heading">{t("graphs.templates")}</h3>
          <ul className="graphs">
            {shipped.map((entry) => (
              <li key={entry.name} className="graph-entry">
                <OpenButton entry={entry} />
              </li>
            ))}
          </ul>
        </section>
      )}
      <p className="panel-note">{t("graphs.drop")}</p>
    </Panel>
  );
}

function useGraphs(): { entries: GraphEntry[] | null; look: () => Promise<void> } {
  const [entries, setEntries] = useState<GraphEntry[] | null>(null);
  const name = useDocument((state) => state.name);
  const saved = useDocument((state) => state.save.state === "saved");
  const look = useCallback(() => api.graphs().then(setEntries, report), []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another name and each save are reasons to look again
  useEffect(() => {
    void look();
  }, [look, name, saved]);
  return { entries, look };
}

function OpenButton({ entry }: { entry: GraphEntry }) {
  const open = useDocument((state) => state.name === entry.name);
  const when = changed(entry);
  return (
    <button
      type="button"
      className="graph-open"
      aria-current={open}
      onClick={() => void useDocument.getState().open(entry.name).catch(report)}
    >
      <span className="graph-title">{entry.title || entry.name}</span>
      {!entry.shipped && when > 0 && (
        <span className="graph-when" title={timeText(when)}>
          {agoText(when)}
        </span>
      )}
      {entry.description && <span className="graph-what">{entry.description}</span>}
    </button>
  );
}

interface OwnProps {
  entry: GraphEntry;
  look: () => Promise<void>;
  remove: () => void;
}

function Own({ entry, look, remove }: OwnProps) {
  const open = useDocument((state) => state.name === entry.name);
  const [versions, setVersions] = useState(false);
  const title = entry.title || entry.name;
  const duplicate = async () => {
    try {
      const saved = await api.graph(entry.name);
      if (saved === null) return;
      const name = t("graphs.copyOf", { name: title });
      await useDocument.getState().openDocument({ ...saved.document, name }, name);
      await look();
    } catch (error) {
      report(error);
    }
  };
  return (
    <li className={`graph-entry${open ? " is-open" : ""}`}>
      <OpenButton entry={entry} />
      <div className="graph-tools">
        <IconButton
          icon="clock"
          label={t("graphs.versionsOf", { name: title })}
          pressed={versions}
          onClick={() => setVersions(!versions)}
          small
        />
        <IconButton icon="copy" label={t("graphs.duplicate", { name: title })} onClick={() => void duplicate()} small />
        <IconButton icon="trash" label={t("graphs.remove", { name: title })} onClick={remove} small />
      </div>
      {versions && <Versions name={entry.name} />}
    </li>
  );
}

/** When a graph was last changed, in Unix seconds; 0 where nobody knows. */
function changed({ modified }: GraphEntry): number {
  if (typeof modified === "number") return modified;
  const read = typeof modified === "string" ? Date.parse(modified) / 1000 : Number.NaN;
  return Number.isNaN(read) ? 0 : read;
}
