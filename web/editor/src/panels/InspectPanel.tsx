import { useEffect, useState } from "react";
import type { Port } from "../graph/document";
import { portPath, words } from "../graph/names";
import { AGAIN, api, type Inspection, isAbort, isBusy } from "../state/api";
import { useDocument } from "../state/document";
import { useRuns } from "../state/runs";
import { report, textOf, useUi } from "../state/ui";
import { t } from "../text/text";
import { Icon } from "../widgets/Icon";
import { IconButton } from "../widgets/IconButton";
import { Histogram } from "./Histogram";
import { Nothing, Panel } from "./Panel";

/** Edits come in quick succession while a value is dragged. */
const PATIENCE = 400;

/** What a port gave in the latest run: its figures, how its numbers are spread, its channels or pictures. */
export function InspectPanel() {
  const port = useUi((state) => state.inspected);
  const there = useDocument((state) => port !== null && state.document.nodes[port.node] !== undefined);
  return (
    <Panel
      title={t("panel.inspect")}
      actions={
        port !== null && (
          <IconButton icon="reset" label={t("inspect.nothing")} onClick={() => useUi.getState().inspect(null)} small />
        )
      }
    >
      {port === null || !there ? (
        <Nothing>
          <Icon name="eye" size={24} />
          <p>{t("inspect.hint")}</p>
        </Nothing>
      ) : (
        <Value key={portPath(port)} port={port} />
      )}
    </Panel>
  );
}

type Looked = { found: Inspection } | { problem: string } | null;

function Value({ port }: { port: Port }) {
  const looked = useInspection(port);
  return (
    <>
      <h3 className="inspect-port">
        <code>{portPath(port)}</code>
        {looked !== null && "found" in looked && <span className="inspect-type">{looked.found.label}</span>}
      </h3>
      {looked === null && <p className="panel-note">{t("app.loading")}</p>}
      {looked !== null && "problem" in looked && <p className="refusal">{looked.problem}</p>}
      {looked !== null && "found" in looked && <Found port={port} found={looked.found} />}
    </>
  );
}

/** What is known of a port's value; asked again after each edit and each run, and until the worker can say. */
function useInspection(port: Port): Looked {
  const [looked, setLooked] = useState<Looked>(null);
  const document = useDocument((state) => state.document);
  const name = useDocument((state) => state.name);
  const ended = useRuns((state) => state.queue.running);
  const path = portPath(port);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the end of a run is a reason to look again
  useEffect(() => {
    const stop = new AbortController();
    const ask = () =>
      api.inspect(document, path, name ?? undefined, stop.signal).then(
        (found) => setLooked({ found }),
        (error: unknown) => {
          if (isAbort(error)) return;
          setLooked({ problem: textOf(error) });
          if (isBusy(error)) timer = setTimeout(ask, AGAIN);
        },
      );
    let timer = setTimeout(ask, PATIENCE);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [document, name, path, ended]);
  return looked;
}

function Found({ port, found }: { port: Port; found: Inspection }) {
  if (found.state === "not_computed") {
    return (
      <Nothing>
        <p>{t("inspect.notComputed")}</p>
        <button type="button" className="run-button" onClick={() => void runTo(port.node)}>
          <Icon name="play" size={14} /> {t("inspect.runToHere")}
        </button>
      </Nothing>
    );
  }
  return (
    <>
      <dl className="facts">
        {found.facts.map(({ name, value }) => (
          <div key={name}>
            <dt>{words(name)}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {found.histogram !== null && <Histogram {...found.histogram} />}
      {found.pictures.length > 0 && (
        <ul className={`maps${found.pictures.length === 1 ? " is-one" : ""}`}>
          {found.pictures.map((picture, index) => (
            <li key={picture.label || String(index)}>
              <figure>
                <Bytes base64={picture.png} label={picture.label || portPath(port)} />
                <figcaption>
                  {picture.label} <span>{`${picture.width} × ${picture.height}`}</span>
                </figcaption>
              </figure>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function runTo(node: string): Promise<void> {
  return useRuns
    .getState()
    .start({ only: [node] })
    .catch(report);
}

/** A picture that came as base64; the page may show blobs, not data addresses. */
function Bytes({ base64, label }: { base64: string; label: string }) {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const made = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [base64]);
  return url === null ? null : <img src={url} alt={label} />;
}
