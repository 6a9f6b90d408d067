import { keyText } from "./state/commands";
import { useDocument } from "./state/document";
import { shareDone } from "./state/nodeRuns";
import { usePlan } from "./state/plan";
import { useRuns } from "./state/runs";
import { useUi } from "./state/ui";
import { t } from "./text/text";

/** The line at the bottom: how much there is, what is selected, what is wrong, how far the run is, the connection. */
export function StatusLine() {
  return (
    <footer className="status">
      <Counts />
      <Hint />
      <span className="status-gap" />
      <Progress />
      <Problems />
      <Connection />
    </footer>
  );
}

function Counts() {
  const name = useDocument((state) => state.name);
  const count = useDocument((state) => Object.keys(state.document.nodes).length);
  const selected = useUi((state) => state.selection.size);
  if (name === null && count === 0) {
    return <span>{t("graph.none")}</span>;
  }
  return (
    <>
      <span>{t("status.nodes", { count })}</span>
      {selected > 0 && <span>{t("status.selected", { count: selected })}</span>}
    </>
  );
}

function Hint() {
  const empty = useDocument((state) => Object.keys(state.document.nodes).length === 0);
  return (
    <span className="status-hint">
      {empty && `${t("status.hint")} · `}
      {t("status.hint.keys", { keys: keyText("mod+k") })}
    </span>
  );
}

function Progress() {
  const percent = useRuns(({ shown, runs, nodes }) => {
    const running = shown !== null && runs[shown]?.state === "running";
    const share = running ? shareDone(nodes) : null;
    return share === null ? null : Math.floor(share * 100);
  });
  const name = useRuns(({ shown, runs }) => (shown === null ? "" : (runs[shown]?.name ?? "")));
  return percent === null ? null : <span>{t("status.running", { name, percent })}</span>;
}

function Problems() {
  const count = usePlan((state) => state.problems.length);
  const open = useUi((state) => state.openPanel);
  if (count === 0) {
    return null;
  }
  return (
    <button type="button" className="status-problems" onClick={() => open("problems")}>
      {t("status.problems", { count })}
    </button>
  );
}

function Connection() {
  const connection = useRuns((state) => state.connection);
  return (
    <span className="status-connection" data-state={connection} role="status">
      {t(`status.${connection}`)}
    </span>
  );
}
