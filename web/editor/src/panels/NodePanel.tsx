import { useState } from "react";
import { selectNodes } from "../canvas/actions";
import { typeOf } from "../graph/catalog";
import { type GraphNode, type NodeState, renameNode, setNodeState } from "../graph/document";
import { words } from "../graph/names";
import { useCatalog } from "../state/catalog";
import { useDocument } from "../state/document";
import { useUi } from "../state/ui";
import { t } from "../text/text";
import { Icon } from "../widgets/Icon";
import { NodeInputs } from "./NodeInputs";
import { NodeOutputs } from "./NodeOutputs";
import { NodeRunState } from "./NodeRunState";
import { Nothing, Panel } from "./Panel";

/** The selected node in full: its name, its values with their explanations, what it did and what it will do. */
export function NodePanel() {
  const selection = useUi((state) => state.selection);
  const nodes = useDocument((state) => state.document.nodes);
  const ids = [...selection].filter((id) => Object.hasOwn(nodes, id));
  const [id] = ids;
  const node = id === undefined ? undefined : nodes[id];
  return (
    <Panel title={t("panel.node")}>
      {id === undefined || node === undefined ? (
        <Nothing>
          <Icon name="node" size={24} />
          <p>{t("node.hint")}</p>
        </Nothing>
      ) : ids.length === 1 ? (
        <One key={id} id={id} node={node} />
      ) : (
        <Several ids={ids} nodes={nodes} />
      )}
    </Panel>
  );
}

function One({ id, node }: { id: string; node: GraphNode }) {
  const type = useCatalog((state) => typeOf(state.types, node.type));
  return (
    <>
      <Rename id={id} />
      <div className="info-type">
        <span className="info-type-name">{words(node.type)}</span>
        <p>{type === undefined ? t("node.unknownType", { type: node.type }) : type.summary}</p>
      </div>
      <States ids={[id]} state={node.state ?? null} />
      <NodeRunState id={id} />
      {type !== undefined && <NodeInputs id={id} type={type} />}
      {type !== undefined && <NodeOutputs id={id} type={type} />}
    </>
  );
}

function Rename({ id }: { id: string }) {
  const [draft, setDraft] = useState<string | null>(null);
  const leave = () => {
    const wish = draft?.trim() ?? "";
    setDraft(null);
    if (wish === "" || wish === id) return;
    if (useDocument.getState().edit("edit.renameNode", (doc) => renameNode(doc, id, wish)))
      useUi.getState().select([wish]);
  };
  return (
    <label className="info-id">
      <span className="visually-hidden">{t("node.id")}</span>
      <input
        value={draft ?? id}
        spellCheck={false}
        maxLength={100}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={leave}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.currentTarget.blur();
          if (event.key === "Escape") setDraft(null);
        }}
      />
    </label>
  );
}

const STATES = [null, "mute", "bypass"] as const satisfies readonly (NodeState | null)[];

function States({ ids, state }: { ids: readonly string[]; state: NodeState | null | undefined }) {
  const set = (next: NodeState | null) =>
    useDocument.getState().edit("edit.nodeState", (doc) => setNodeState(doc, ids, next));
  return (
    <fieldset className="segments">
      <legend className="visually-hidden">{t("node.state")}</legend>
      {STATES.map((item) => {
        const name = item ?? "active";
        return (
          <button
            key={name}
            type="button"
            className="segment"
            title={t(`node.${name}What`)}
            aria-pressed={state === item}
            onClick={() => set(item)}
          >
            <Icon name={item === null ? "play" : item} size={14} /> {t(`node.${name}`)}
          </button>
        );
      })}
    </fieldset>
  );
}

function Several({ ids, nodes }: { ids: readonly string[]; nodes: Record<string, GraphNode> }) {
  const states = new Set(ids.map((id) => nodes[id]?.state ?? null));
  return (
    <>
      <h3 className="panel-heading">{t("status.selected", { count: ids.length })}</h3>
      <States ids={ids} state={states.size === 1 ? [...states][0] : undefined} />
      <ul className="command-list">
        {ids.map((id) => (
          <li key={id}>
            <button type="button" className="command" onClick={() => selectNodes([id])}>
              <span>{id}</span>
              <span className="commands-group">{words(nodes[id]?.type ?? "")}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
