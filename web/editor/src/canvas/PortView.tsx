import { type KeyboardEvent, memo } from "react";
import type { InputPort, OutputPort } from "../graph/catalog";
import { inferKinds } from "../graph/kinds";
import { portPath, words } from "../graph/names";
import { useCatalog } from "../state/catalog";
import { useDocument } from "../state/document";
import { usePlan } from "../state/plan";
import { useUi } from "../state/ui";
import { docNow, knownNow, removeLinksAt } from "./actions";
import { offerLinks } from "./linking";
import { portName, problemsText } from "./names";
import { useCanvas } from "./store";
import { isList, toneOf } from "./tone";
import { linksFrom, linksInto, whyNot } from "./wire";

interface PortProps {
  node: string;
  name: string;
  side: "in" | "out";
  spec: InputPort | OutputPort | undefined;
  /** Its widget stands beside it and says its name. */
  bare?: boolean;
  /** It has no row: its node is nothing but ports. */
  alone?: boolean;
}

/** A port: a dot at the side of its node that links hang on, and its name. */
export const PortView = memo(function PortView({ node, name, side, spec, bare = false, alone = false }: PortProps) {
  const models = useCatalog((state) => state.models);
  const types = useCatalog((state) => state.types);
  const label = useDocument((state) => inferKinds(state.document, types, models).label({ node, port: name }, side));
  const tone = useDocument((state) =>
    toneOf(inferKinds(state.document, types, models).type({ node, port: name }, side)),
  );
  const linked = useDocument((state) => linkedText(state.document, { node, port: name }, side));
  const problem = usePlan((state) => {
    const path = portPath({ node, port: name });
    const found = state.ofNode[node]?.filter(({ at }) => at === path);
    return found === undefined || found.length === 0 || side === "out" ? "" : problemsText(found);
  });
  const pending = useCanvas((state) =>
    state.pending === null ? undefined : pendingLook(state.pending, { node, port: name }, side),
  );
  const aimed = useCanvas(
    ({ pending: now, target }) =>
      target !== null && target.node === node && target.port?.port === name && now?.side !== side,
  );
  const required = side === "in" && spec !== undefined && "required" in spec && spec.required && linked === "";
  const description = spec !== undefined && "description" in spec ? spec.description : "";
  return (
    <div className={alone ? "port is-alone" : "port"} data-side={side} data-pending={pending}>
      <button
        type="button"
        className={`port-dot ${side === "in" ? "target" : "source"}`}
        data-handleid={name}
        data-handlepos={side === "in" ? "left" : "right"}
        data-port={name}
        data-side={side}
        data-of={node}
        data-tone={tone}
        data-list={isList(spec?.type ?? null) || undefined}
        data-ring={(required && !bare) || undefined}
        data-linked={linked !== "" || undefined}
        data-aimed={aimed || undefined}
        data-problem={problem !== "" || undefined}
        aria-label={portName(name, side, { label, linked, required, problem })}
        title={[`${words(name)}: ${label}`, description, problem].filter((line) => line !== "").join("\n")}
        onKeyDown={onKeyDown}
        onClick={(event) => event.detail === 0 && offerLinks({ node, port: name }, side)}
      />
      {!bare && !alone && <span className="port-name">{words(name)}</span>}
    </div>
  );
});

function linkedText(doc: ReturnType<typeof docNow>, port: { node: string; port: string }, side: "in" | "out"): string {
  const ends = side === "in" ? linksInto(doc, port).map(({ from }) => from) : linksFrom(doc, port).map(({ to }) => to);
  return ends.map(portPath).join(", ");
}

function pendingLook(
  pending: Parameters<typeof whyNot>[0],
  port: { node: string; port: string },
  side: "in" | "out",
): "from" | "fits" | "no" {
  if (pending.from.node === port.node && pending.from.port === port.port && pending.side === side) return "from";
  if (pending.side === side || pending.from.node === port.node) return "no";
  return whyNot(pending, knownNow(), port) === null ? "fits" : "no";
}

/** On a port: Delete takes its links away, I (with Shift) inspects it. Enter is a click, which offers links. */
function onKeyDown(event: KeyboardEvent<HTMLElement>): void {
  const { port, side, of: node } = event.currentTarget.dataset;
  if (port === undefined || node === undefined) return;
  const at = { node, port };
  if (event.key === "Delete" || event.key === "Backspace") {
    removeLinksAt(at, side === "out" ? "out" : "in");
  } else if (event.key === "I" && event.shiftKey) {
    const source = side === "out" ? at : linksInto(docNow(), at)[0]?.from;
    if (source !== undefined) useUi.getState().inspect(source);
  } else return;
  event.preventDefault();
}
