import { selectNodes } from "../canvas/actions";
import type { Fault } from "../state/api";
import { useDocument } from "../state/document";
import { usePlan } from "../state/plan";
import { type NodeRun, useRuns } from "../state/runs";
import { t } from "../text/text";
import { Thumb } from "./GalleryPanel";
import { isShown, pictureText } from "./pictures";
import { lengthText } from "./times";

/** What a node did in the run that is shown, and what it would do in the next one. */
export function NodeRunState({ id }: { id: string }) {
  const run = useRuns((state) => state.nodes[id]);
  const next = usePlan((state) => state.foresight[id]);
  if (run === undefined && next === undefined) return null;
  return (
    <section className="info-run">
      {next !== undefined && (
        <p className={`foresight is-${next.state}`}>
          <strong>{t(`node.foresight.${next.state}`)}</strong>
          {next.why !== "" && <span>{next.why}</span>}
        </p>
      )}
      {run !== undefined && <Last run={run} />}
    </section>
  );
}

function Last({ run }: { run: NodeRun }) {
  const pictures = run.pictures.filter(isShown);
  const title = useDocument((state) => state.document.name ?? state.name ?? "");
  return (
    <>
      <p className={`info-last is-${run.state}`}>
        {t(`node.run.${run.state}`)}
        {run.seconds !== undefined && <span> · {lengthText(run.seconds)}</span>}
        {run.state === "running" && run.done !== undefined && (
          <span>
            {" "}
            · {run.done}
            {run.total ? ` / ${run.total}` : ""}
          </span>
        )}
      </p>
      {run.because !== undefined && (
        <button type="button" className="link-button" onClick={() => run.because && selectNodes([run.because], true)}>
          {t("node.because", { node: run.because })}
        </button>
      )}
      {run.messages.map((message) => (
        <p key={message} className="info-message">
          {message}
        </p>
      ))}
      {run.error !== undefined && <Failure error={run.error} />}
      {pictures.length > 0 && (
        <ul className="gallery">
          {pictures.map((picture) => (
            <li key={`${picture.digest} ${picture.file}`}>
              <Thumb
                picture={picture}
                among={pictures}
                label={t("gallery.open", { picture: pictureText(picture), name: title })}
              />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Failure({ error }: { error: Fault }) {
  const given = Object.entries(error.inputs ?? {});
  return (
    <div className="run-failure">
      <p className="run-what">{error.what}</p>
      {error.fix !== "" && <p className="run-fix">{error.fix}</p>}
      {given.length > 0 && (
        <table className="given">
          <caption>{t("node.given")}</caption>
          <tbody>
            {given.map(([name, value]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>
                  <code>{value}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
