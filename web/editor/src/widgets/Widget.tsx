import { useId } from "react";
import type { InputPort, Json } from "../graph/catalog";
import { setInput, setSeedMode } from "../graph/document";
import { portPath, words } from "../graph/names";
import { defaultOf } from "../graph/schema";
import { useDocument } from "../state/document";
import { useRuns } from "../state/runs";
import { t } from "../text/text";
import { Field } from "./Field";
import type { SeedMode, SeedState } from "./field";
import { IconButton } from "./IconButton";

interface WidgetProps {
  node: string;
  port: InputPort;
  /**
   * "row" (default) fills one row of a node, 28 px high (a long text 84 px), and shows the port's name in it; "block"
   * stands below a label, which names it by `id`.
   */
  look?: "row" | "block";
  id?: string;
  describedBy?: string;
}

/** An input's value in the open graph, and the widget that changes it: on the node and in the panel alike. */
export function Widget({ node, port, look = "row", id, describedBy }: WidgetProps) {
  const own = useId();
  const stored = useDocument((state) => state.document.nodes[node]?.inputs?.[port.name]);
  const edit = useDocument((state) => state.edit);
  const at = { node, port: port.name };
  const change = (value: Json | undefined, merge?: string) =>
    edit("edit.value", (doc) => setInput(doc, at, value), merge && `${merge} ${portPath(at)}`);
  const initial = defaultOf(port);
  const name = words(port.name);
  const seed = useSeed(portPath(at), (mode) => edit("edit.seedMode", (doc) => setSeedMode(doc, at, mode)));
  const changed = stored !== undefined && !port.required && !same(stored, initial);
  return (
    <div className={`widget widget-${look}`}>
      <Field
        look={look}
        id={id ?? own}
        name={name}
        port={port}
        value={stored === undefined ? initial : stored}
        change={change}
        seed={seed}
        describedBy={describedBy}
      />
      {changed && look === "block" && (
        <span className="widget-reset">
          <IconButton icon="reset" label={t("widget.reset", { name })} onClick={() => change(undefined)} small />
        </span>
      )}
    </div>
  );
}

function useSeed(path: string, setMode: (mode: SeedMode) => void): SeedState {
  const mode = useDocument((state) => state.document.seeds?.[path] ?? null);
  const last = useRuns((state) => (state.shown === null ? undefined : state.runs[state.shown]?.drawn?.[path]));
  return { mode, setMode, last: last ?? null };
}

function same(a: Json, b: Json | undefined): boolean {
  return a === b || (typeof a === "object" && JSON.stringify(a) === JSON.stringify(b));
}
