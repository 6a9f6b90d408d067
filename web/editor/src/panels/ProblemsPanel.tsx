import { selectNodes } from "../canvas/actions";
import type { Trouble } from "../state/api";
import { useCatalog } from "../state/catalog";
import { useDocument } from "../state/document";
import { usePlan } from "../state/plan";
import { t } from "../text/text";
import { Icon } from "../widgets/Icon";
import { Nothing, Panel } from "./Panel";

/** Every reason why the graph cannot run, with its place and how to mend it; a click leads there. */
export function ProblemsPanel() {
  const { problems, checking } = usePlan();
  const files = useCatalog((state) => state.problems);
  return (
    <Panel title={t("panel.problems")}>
      {problems.length === 0 && (
        <Nothing>
          {checking ? (
            t("problems.checking")
          ) : (
            <>
              <Icon name="check" /> {t("problems.none")}
            </>
          )}
        </Nothing>
      )}
      <ul className="problems">
        {problems.map((problem) => (
          <Problem key={`${problem.code} ${problem.at} ${problem.what}`} problem={problem} />
        ))}
      </ul>
      {files.length > 0 && (
        <section>
          <h3 className="panel-heading">{t("catalog.troubles", { count: files.length })}</h3>
          <ul className="problems">
            {files.map((problem) => (
              <Problem key={`${problem.at} ${problem.what}`} problem={problem} />
            ))}
          </ul>
        </section>
      )}
    </Panel>
  );
}

function Problem({ problem }: { problem: Trouble }) {
  const node = useNodeOf(problem);
  const told = (
    <>
      <code className="problem-at">{problem.at}</code>
      <span className="problem-what">{problem.what}</span>
      {problem.fix !== "" && <span className="problem-fix">{problem.fix}</span>}
    </>
  );
  return (
    <li>
      {node === null ? (
        <div className="problem">{told}</div>
      ) : (
        <button
          type="button"
          className="problem"
          title={t("problems.goTo", { node })}
          onClick={() => selectNodes([node], true)}
        >
          {told}
        </button>
      )}
    </li>
  );
}

function useNodeOf(problem: Trouble): string | null {
  const nodes = useDocument((state) => state.document.nodes);
  const ofNode = usePlan((state) => state.ofNode);
  const id = Object.keys(ofNode).find((key) => ofNode[key]?.includes(problem)) ?? problem.at.split(".")[0] ?? "";
  return Object.hasOwn(nodes, id) ? id : null;
}
