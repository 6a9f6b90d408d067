import { useEffect, useMemo, useState } from "react";
import { formOf, outputsOf } from "../graph/interface";
import { portPath } from "../graph/names";
import { ApiError, api, type Trouble } from "../state/api";
import { useCatalog } from "../state/catalog";
import { useDocument } from "../state/document";
import { randomId } from "../state/drafts";
import { usePreferences } from "../state/preferences";
import { useRuns } from "../state/runs";
import { navigate } from "../state/session";
import { report } from "../state/ui";
import { t } from "../text/text";
import { Icon } from "../widgets/Icon";
import { IconButton } from "../widgets/IconButton";
import { FormHistory } from "./FormHistory";
import { FormInputs } from "./FormInputs";
import { FormOutputs, RESULTS } from "./FormOutputs";
import { FormRun } from "./FormRun";
import { drawnNames, type Filled, filledDocument, keepFilled, readFilled } from "./formValues";
import "../panels/panels.css";
import "./form.css";

/** A graph as a form: the inputs and outputs of its interface, nothing else. What is filled in changes no graph. */
export function FormView() {
  const name = useDocument((state) => state.name);
  const opening = useDocument((state) => state.opening);
  const ready = useCatalog((state) => state.status === "ready");
  if (name === null || opening !== null || !ready) return <p className="form-loading">{t("app.loading")}</p>;
  return <Form key={name} name={name} />;
}

function Form({ name }: { name: string }) {
  const document = useDocument((state) => state.document);
  const types = useCatalog((state) => state.types);
  const inputs = useMemo(() => formOf(document, types), [document, types]);
  const outputs = useMemo(() => outputsOf(document, types), [document, types]);
  const [filled, setFilled] = useState<Filled>(() => readFilled(name, inputs));
  const [problems, setProblems] = useState<readonly Trouble[]>([]);
  const [sending, setSending] = useState(false);
  useEffect(() => keepFilled(name, filled), [name, filled]);

  const run = async () => {
    setSending(true);
    setProblems([]);
    try {
      const graph = filledDocument(document, inputs, filled);
      const started = await api.submit({ graph, name, idempotency_key: randomId() });
      const drawn = drawnNames(started.drawn ?? {}, inputs);
      setFilled((before) => ({ ...before, values: { ...before.values, ...drawn } }));
      useRuns.getState().show(started.id);
      // on a phone the results are below
      window.document.getElementById(RESULTS)?.scrollIntoView({ block: "nearest", behavior: "smooth" });
    } catch (error) {
      if (error instanceof ApiError && error.problems.length > 0) setProblems(error.problems);
      else report(error);
    } finally {
      setSending(false);
    }
  };
  const change = (next: (before: Filled) => Filled) => {
    setProblems([]);
    setFilled(next);
  };
  const elsewhere = problems.filter((problem) => !inputs.some(({ port }) => portPath(port) === problem.at));

  return (
    <div className="form-page">
      <div className="form">
        <header className="form-head">
          <div>
            <h1>{document.name || name}</h1>
            {document.description && <p>{document.description}</p>}
          </div>
          <Tools name={name} />
        </header>
        <main className="form-main">
          <form
            className="form-inputs"
            aria-label={t("form.inputs")}
            onSubmit={(event) => {
              event.preventDefault();
              void run();
            }}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
              event.preventDefault();
              event.currentTarget.requestSubmit();
            }}
          >
            {inputs.length === 0 && <p className="panel-note">{t("form.noInputs")}</p>}
            <FormInputs
              inputs={inputs}
              filled={filled}
              change={change}
              problems={problems}
              seedModes={document.seeds ?? {}}
            />
            <Problems problems={elsewhere} />
            <FormRun
              sending={sending}
              reset={isFilled(filled) ? () => change(() => ({ values: {}, seeds: {} })) : null}
            />
          </form>
          <FormOutputs outputs={outputs} />
        </main>
        <FormHistory name={name} />
      </div>
    </div>
  );
}

function isFilled({ values, seeds }: Filled): boolean {
  return Object.keys(values).length + Object.keys(seeds).length > 0;
}

function Tools({ name }: { name: string }) {
  const { theme, set } = usePreferences();
  const next = theme === "dark" ? "light" : "dark";
  return (
    <nav className="form-tools" aria-label={t("form.tools")}>
      <IconButton
        icon={next === "dark" ? "moon" : "sun"}
        label={t(`command.theme.${next}`)}
        onClick={() => set({ theme: next })}
      />
      <a
        className="quiet-button"
        href={`/graph/${name}`}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          navigate({ view: "graph", name });
        }}
      >
        <Icon name="graph" size={14} /> {t("form.edit")}
      </a>
    </nav>
  );
}

function Problems({ problems }: { problems: readonly Trouble[] }) {
  if (problems.length === 0) return null;
  return (
    <ul className="problems" role="alert">
      {problems.map((problem) => (
        <li key={`${problem.at} ${problem.what}`} className="problem">
          {problem.at !== "" && <code className="problem-at">{problem.at}</code>}
          <span className="problem-what">{problem.what}</span>
          <span className="problem-fix">{problem.fix}</span>
        </li>
      ))}
    </ul>
  );
}
