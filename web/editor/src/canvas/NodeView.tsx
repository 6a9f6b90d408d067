import type { NodeProps } from "@xyflow/react";
import { type KeyboardEvent, memo, useMemo } from "react";
import { inputOf, type NodeType, outputOf, typeOf } from "../graph/catalog";
import type { NodeBox, Row } from "../graph/geometry";
import { words } from "../graph/names";
import { useCatalog } from "../state/catalog";
import { useDocument } from "../state/document";
import { useRuns } from "../state/runs";
import { useUi } from "../state/ui";
import { t } from "../text/text";
import { Widget } from "../widgets/Widget";
import { Graspable } from "./Graspable";
import { NodeHeader } from "./NodeHeader";
import { NodeMessages, NodePictures, NodeProgress } from "./NodeRun";
import { nodeName, shownState } from "./names";
import { useBox } from "./now";
import { PortView } from "./PortView";
import { useCanvas } from "./store";

/** A node: its header, its ports with their widgets, what it has made. It follows only its own part of the stores. */
export const NodeView = memo(function NodeView({ id }: NodeProps) {
  const node = useDocument((state) => state.document.nodes[id]);
  const type = useCatalog((state) => typeOf(state.types, node?.type ?? ""));
  const box = useBox(id);
  const selected = useUi((state) => state.selection.has(id));
  const run = useRuns((state) => shownState(state.nodes[id]));
  const name = useRuns((state) => nodeName(id, node?.type ?? "", node?.state, state.nodes[id]));
  const target = useCanvas((state) =>
    state.target?.node === id ? (state.target.refusal === null ? "fits" : "refuses") : undefined,
  );
  if (node === undefined || box === undefined) return null;
  return (
    <Graspable
      id={id}
      name={name}
      className="node"
      aria-describedby="canvas-node-help"
      data-selected={selected || undefined}
      data-state={node.state}
      data-run={run}
      data-target={target}
      data-unknown={type === undefined || undefined}
      onKeyDown={enter}
    >
      <NodeHeader id={id} type={type} typeId={node.type} />
      <NodeProgress id={id} />
      {box.rows.map((row) => (
        <NodeRow key={rowKey(row)} id={id} row={row} type={type} width={box.width} />
      ))}
      <Strays id={id} box={box} type={type} />
      <span className="node-resize nodrag" data-resize="node" />
    </Graspable>
  );
});

interface RowProps {
  id: string;
  row: Row;
  type: NodeType | undefined;
  width: number;
}

const NodeRow = memo(function NodeRow({ id, row, type, width }: RowProps) {
  const style = { top: row.y, height: row.height };
  switch (row.is) {
    case "ports":
      return (
        <div className="node-row" style={style}>
          {row.input !== null && <PortView node={id} name={row.input} side="in" spec={inputOf(type, row.input)} />}
          {row.output !== null && <PortView node={id} name={row.output} side="out" spec={outputOf(type, row.output)} />}
        </div>
      );
    case "value":
      return <ValueRow id={id} row={row} type={type} width={width} />;
    case "picture":
      return <NodePictures id={id} style={style} width={width} />;
    case "messages":
      return <NodeMessages id={id} style={style} />;
  }
});

function ValueRow({ id, row, type }: RowProps & { row: Extract<Row, { is: "value" }> }) {
  const near = useCanvas((state) => state.distance === "near");
  const spec = inputOf(type, row.input);
  const bare = row.linked || spec === undefined;
  return (
    <div className="node-row" style={{ top: row.y, height: row.height }} data-multiline={row.multiline || undefined}>
      <PortView node={id} name={row.input} side="in" spec={spec} bare={!bare} />
      {!bare &&
        (near ? (
          <div className="node-widget nodrag">
            <Widget node={id} port={spec} />
          </div>
        ) : (
          <FarValue id={id} name={row.input} fallback={spec.schema?.default} />
        ))}
    </div>
  );
}

/** A value as it is read from afar, where a widget is too small to be used. */
function FarValue({ id, name, fallback }: { id: string; name: string; fallback: unknown }) {
  const value = useDocument((state) => state.document.nodes[id]?.inputs?.[name]) ?? fallback;
  return (
    <div className="node-far">
      <span className="node-far-name">{words(name)}</span>
      <span className="node-far-value">
        {value === undefined || value === null ? "" : typeof value === "object" ? "…" : String(value).slice(0, 60)}
      </span>
    </div>
  );
}

/** Ends of links at ports that the node type does not have (any more). */
function Strays({ id, box, type }: { id: string; box: NodeBox; type: NodeType | undefined }) {
  const inputs = useDocument((state) => state.document.nodes[id]?.inputs);
  const strays = useMemo(
    () => Object.keys(inputs ?? {}).filter((name) => inputOf(type, name) === undefined && !(name in box.ports.inputs)),
    [inputs, type, box],
  );
  return strays.length === 0 ? null : (
    <p className="node-strays" title={strays.join(", ")}>
      {t("canvas.node.strays", { count: strays.length })}
    </p>
  );
}

/** Enter on a node goes to its first port or value. */
function enter(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== "Enter" || event.target !== event.currentTarget || event.altKey || event.ctrlKey) return;
  event.preventDefault();
  event.currentTarget.querySelector<HTMLElement>(".node-row button, .node-row input, .node-row textarea")?.focus();
}

function rowKey(row: Row): string {
  return row.is === "value" ? `value ${row.input}` : row.is === "ports" ? `ports ${row.input} ${row.output}` : row.is;
}
