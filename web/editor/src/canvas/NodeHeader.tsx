import { memo } from "react";
import type { NodeType } from "../graph/catalog";
import { renameNode } from "../graph/document";
import { words } from "../graph/names";
import { useDocument } from "../state/document";
import { usePlan } from "../state/plan";
import { useRuns } from "../state/runs";
import { useUi } from "../state/ui";
import { t } from "../text/text";
import { Icon } from "../widgets/Icon";
import { selectNodes } from "./actions";
import { openNodeMenu } from "./menus";
import { problemsText, secondsText } from "./names";
import { RenameField } from "./RenameField";
import { useCanvas } from "./store";
import { toneOf } from "./tone";

interface HeaderProps {
  id: string;
  type: NodeType | undefined;
  typeId: string;
}

/** The top of a node: its name and type, what it does or would do, its menu. */
export const NodeHeader = memo(function NodeHeader({ id, type, typeId }: HeaderProps) {
  const renaming = useCanvas(
    (state) => state.renaming !== null && "node" in state.renaming && state.renaming.node === id,
  );
  const state = useDocument((store) => store.document.nodes[id]?.state);
  const named = words(id).toLowerCase() !== words(typeId).toLowerCase();
  return (
    <header className="node-header" title={type?.summary ?? t("canvas.node.unknown", { type: typeId })}>
      <span className="node-tone" data-tone={toneOf(type?.outputs[0]?.type ?? null)} />
      {renaming ? (
        <Rename id={id} />
      ) : (
        // biome-ignore lint/a11y/noStaticElementInteractions: F2 and the menu do the same
        <span className="node-title" onDoubleClick={() => useCanvas.setState({ renaming: { node: id } })}>
          {named ? id : typeId}
          {named && <span className="node-type">{typeId}</span>}
        </span>
      )}
      {state !== undefined && (
        <span className="node-badge" title={t(`canvas.node.${state}`)}>
          <Icon name={state} size={14} />
        </span>
      )}
      <button
        type="button"
        className="node-menu nodrag"
        aria-label={t("canvas.node.menu", { node: id })}
        aria-haspopup="menu"
        onClick={(event) => {
          const { left, bottom } = event.currentTarget.getBoundingClientRect();
          openNodeMenu(id, { x: left, y: bottom + 4 });
        }}
      >
        <Icon name="more" size={14} />
      </button>
      <Problems id={id} />
      <Outlook id={id} />
    </header>
  );
});

/** How long it took, or whether it would run. While a run goes on, what it does says more than what was foreseen. */
function Outlook({ id }: { id: string }) {
  const state = useRuns((store) => store.nodes[id]?.state);
  const seconds = useRuns((store) => store.nodes[id]?.seconds);
  const busy = useRuns(
    (store) => store.shown !== null && store.shown === store.queue.running && store.nodes[id] !== undefined,
  );
  const foresight = usePlan((store) => store.foresight[id]);
  const foreseen = busy || foresight === undefined || foresight.state === "unknown" ? undefined : foresight;
  const why = foreseen === undefined ? "" : t(`canvas.foresight.${foreseen.state as "reused" | "runs"}`, foreseen);
  return (
    <>
      {state === "done" && seconds !== undefined && <span className="node-seconds">{secondsText(seconds)}</span>}
      {state === "reused" && <span className="node-seconds">{t("canvas.run.reused")}</span>}
      {foreseen !== undefined && (
        <span className="node-foresight" data-foresight={foreseen.state} role="img" aria-label={why} title={why} />
      )}
    </>
  );
}

/** What is wrong with the node: in the plan, or in the run. */
function Problems({ id }: { id: string }) {
  const problems = usePlan((store) => store.ofNode[id]);
  if (problems === undefined || problems.length === 0) return null;
  const text = problemsText(problems);
  return (
    <button
      type="button"
      className="node-problem nodrag"
      title={text}
      aria-label={text}
      onClick={() => {
        selectNodes([id]);
        useUi.getState().openPanel("problems");
      }}
    >
      <Icon name="warning" size={14} />
    </button>
  );
}

function Rename({ id }: { id: string }) {
  const keep = (wish: string) => {
    if (wish === "") return;
    if (useDocument.getState().edit("canvas.edit.rename", (doc) => renameNode(doc, id, wish)))
      selectNodes([wish], true);
  };
  return <RenameField className="node-rename" label={t("canvas.node.rename")} text={id} longest={100} keep={keep} />;
}
