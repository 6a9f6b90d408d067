import { useEffect, useRef, useState } from "react";
import { type Artifact, artifactUrl, type Run } from "../state/api";
import { useDocument } from "../state/document";
import { useRuns } from "../state/runs";
import { report, useUi } from "../state/ui";
import { t } from "../text/text";
import { Still } from "./Film";
import { Nothing, Panel } from "./Panel";
import { isPlayed, picturesOf, pictureText } from "./pictures";
import { RunFailure, RunLine } from "./RunLine";
import { dayText } from "./times";

/** What all runs have made, newest first, over all sessions; and those that made nothing, with the reason. */
export function GalleryPanel() {
  const { runs, history, more, loadMore } = useRuns();
  const name = useDocument((state) => state.name);
  const [mine, setMine] = useState(false);
  const listed = history.flatMap((id) => runs[id] ?? []).filter((run) => isListed(run) && (!mine || run.name === name));
  const pictures = listed.flatMap(picturesOf);
  return (
    <Panel title={t("panel.gallery")}>
      <fieldset className="segments">
        <legend className="visually-hidden">{t("gallery.filter")}</legend>
        <button type="button" className="segment" aria-pressed={!mine} onClick={() => setMine(false)}>
          {t("gallery.allGraphs")}
        </button>
        <button
          type="button"
          className="segment"
          aria-pressed={mine}
          disabled={name === null}
          onClick={() => setMine(true)}
        >
          {t("gallery.thisGraph")}
        </button>
      </fieldset>
      {listed.length === 0 && !more && <Nothing>{t("gallery.empty")}</Nothing>}
      {byDay(listed).map(([day, those]) => (
        <section key={day} className="gallery-day">
          <h3 className="panel-heading">{day}</h3>
          <Day runs={those} pictures={pictures} />
        </section>
      ))}
      {more && <More key={history.length} load={() => loadMore().catch(report)} />}
    </Panel>
  );
}

/** A run is of interest once it ended, unless it only gave plain values. */
function isListed(run: Run): boolean {
  return run.state === "failed" || (run.state === "done" && picturesOf(run).length > 0);
}

function byDay(runs: readonly Run[]): [string, Run[]][] {
  const days = new Map<string, Run[]>();
  for (const run of runs) {
    const day = dayText(run.finished ?? run.created);
    days.set(day, [...(days.get(day) ?? []), run]);
  }
  return [...days];
}

function Day({ runs, pictures }: { runs: readonly Run[]; pictures: Artifact[] }) {
  return (
    <ul className="gallery">
      {runs.flatMap((run) =>
        run.state === "failed" ? (
          <li key={run.id} className="gallery-failed">
            <RunLine run={run} />
            <RunFailure run={run} />
          </li>
        ) : (
          picturesOf(run).map((picture) => (
            <li key={`${run.id} ${picture.file}`}>
              <Thumb
                picture={picture}
                among={pictures}
                label={t("gallery.open", { picture: pictureText(picture), name: run.name })}
              />
            </li>
          ))
        ),
      )}
    </ul>
  );
}

interface ThumbProps {
  picture: Artifact;
  /** The pictures that the lightbox walks through. */
  among: Artifact[];
  label: string;
}

/** A small picture that opens large. */
export function Thumb({ picture, among, label }: ThumbProps) {
  const open = () => useUi.getState().openLightbox({ items: among, index: Math.max(0, among.indexOf(picture)) });
  return (
    <button type="button" className="thumb" title={label} aria-label={label} onClick={open}>
      {isPlayed(picture) ? (
        <Still artifact={picture} />
      ) : (
        <img src={artifactUrl(picture, 256)} alt="" loading="lazy" decoding="async" draggable={false} />
      )}
    </button>
  );
}

function More({ load }: { load: () => Promise<void> }) {
  const mark = useRef<HTMLButtonElement>(null);
  const [busy, setBusy] = useState(false);
  const go = useRef(() => {});
  go.current = () => {
    if (busy) return;
    setBusy(true);
    void load().finally(() => setBusy(false));
  };
  useEffect(() => {
    if (mark.current === null || typeof IntersectionObserver === "undefined") return;
    const watch = new IntersectionObserver(([entry]) => entry?.isIntersecting && go.current());
    watch.observe(mark.current);
    return () => watch.disconnect();
  }, []);
  return (
    <button ref={mark} type="button" className="quiet-button gallery-more" disabled={busy} onClick={() => go.current()}>
      {t(busy ? "gallery.loading" : "gallery.more")}
    </button>
  );
}
