import type { Json } from "../graph/catalog";
import type { FormOutput } from "../graph/interface";
import { words } from "../graph/names";
import { Film } from "../panels/Film";
import { isPlayed, isShown, pictureText } from "../panels/pictures";
import { type Artifact, artifactUrl } from "../state/api";
import { useDocument } from "../state/document";
import { artifactsIn } from "../state/nodeRuns";
import { isLive, useRuns } from "../state/runs";
import { useUi } from "../state/ui";
import { t } from "../text/text";
import { Icon } from "../widgets/Icon";

/** The id of the place of the results. */
export const RESULTS = "form-results";

/** What the graph gives: pictures, with a preview while they come about, and plain values. */
export function FormOutputs({ outputs }: { outputs: readonly FormOutput[] }) {
  return (
    <section className="form-outputs" id={RESULTS} aria-label={t("form.outputs")}>
      {outputs.length === 0 && <p className="panel-note">{t("form.noOutputs")}</p>}
      {outputs.map((output, index) => (
        <Output key={output.name} output={output} alone={outputs.length === 1} first={index === 0} />
      ))}
    </section>
  );
}

function Output({ output, alone, first }: { output: FormOutput; alone: boolean; first: boolean }) {
  const name = useDocument((state) => state.name);
  const run = useRuns((state) => {
    const shown = state.shown === null ? undefined : state.runs[state.shown];
    return shown?.name === name ? shown : undefined;
  });
  const own = useRuns((state) => state.nodes[output.port.node]);
  const preview = useRuns((state) =>
    first ? Object.values(state.nodes).find((node) => node.state === "running" && node.preview) : undefined,
  );
  const value = run?.outputs[output.name];
  const made = artifactsIn(value).filter(isShown);
  const pictures = made.length > 0 ? made : (own?.pictures ?? []).filter(isShown);
  const live = isLive(run);
  return (
    <figure className="form-output">
      {!alone && <figcaption>{words(output.name)}</figcaption>}
      {live && preview?.preview !== undefined ? (
        <img className="form-preview" src={preview.preview} alt={t("form.preview")} />
      ) : pictures.length > 0 ? (
        <Pictures pictures={pictures} old={live} />
      ) : value !== undefined && made.length === 0 ? (
        <output className="form-value">{written(value)}</output>
      ) : (
        <div className="form-empty">
          <Icon name="picture" size={24} />
          <p>{t(live ? "form.coming" : "form.empty")}</p>
        </div>
      )}
    </figure>
  );
}

function Pictures({ pictures, old }: { pictures: Artifact[]; old: boolean }) {
  return (
    <div className={`form-pictures${pictures.length === 1 ? " is-one" : ""}${old ? " is-old" : ""}`}>
      {pictures.map((picture, index) =>
        isPlayed(picture) ? (
          <Film key={`${picture.digest} ${picture.file}`} className="form-film" artifact={picture} />
        ) : (
          <button
            key={`${picture.digest} ${picture.file}`}
            type="button"
            className="form-picture"
            aria-label={t("form.openPicture", { picture: pictureText(picture) })}
            onClick={() => useUi.getState().openLightbox({ items: pictures, index })}
          >
            <img
              src={artifactUrl(picture)}
              alt={pictureText(picture)}
              style={pictures.length === 1 ? shape(picture) : {}}
            />
          </button>
        ),
      )}
    </div>
  );
}

function written(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/** As large as the page has room for, whatever the picture's own size. */
function shape({ width, height }: Artifact): React.CSSProperties {
  if (width == null || height == null || height === 0) return {};
  return { aspectRatio: `${width} / ${height}`, width: `min(100%, calc(72vh * ${width / height}))` };
}
