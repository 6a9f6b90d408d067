import type { Run, RunState } from "../state/api";
import { useRuns } from "../state/runs";
import { report, useUi } from "../state/ui";
import { t } from "../text/text";
import { Icon, type IconName } from "../widgets/Icon";
import { IconButton } from "../widgets/IconButton";
import { agoText, lengthText, timeText } from "./times";

const ICONS: Record<RunState, IconName> = {
  queued: "clock",
  running: "play",
  done: "check",
  failed: "warning",
  cancelled: "stop",
};

/** A run's name, number, state and time, in one line. */
export function RunLine({ run }: { run: Run }) {
  const shown = useRuns((state) => state.shown === run.id);
  const took = run.started !== null && run.finished !== null ? lengthText(run.finished - run.started) : null;
  const when = run.finished ?? run.started ?? run.created;
  return (
    <button
      type="button"
      className={`run-line is-${run.state}${shown ? " is-shown" : ""}`}
      aria-pressed={shown}
      title={`${t("run.show")}\n${timeText(when)}`}
      onClick={() => useRuns.getState().show(shown ? null : run.id)}
    >
      <Icon name={ICONS[run.state]} size={14} />
      <span className="visually-hidden">{t(`run.state.${run.state}`)}</span>
      <span className="run-name">{run.name}</span>
      <span className="run-number">#{run.number}</span>
      <span className="run-when">{took ?? agoText(when)}</span>
    </button>
  );
}

/** Why a run failed, and what can be done about it. */
export function RunFailure({ run }: { run: Run }) {
  const { error } = run;
  const retry = () => useRuns.getState().retry(run.id).catch(report);
  return (
    <div className="run-failure">
      <p className="run-what">{error === null ? t(`run.state.${run.state}`) : error.what}</p>
      {error !== null && error.fix !== "" && <p className="run-fix">{error.fix}</p>}
      <div className="run-tools">
        {error !== null && error.at !== "" && <code>{error.at}</code>}
        <button type="button" className="quiet-button" onClick={() => void retry()}>
          <Icon name="reset" size={14} /> {t("run.retry")}
        </button>
      </div>
    </div>
  );
}

/** Cancel a run that waits or runs. */
export function CancelRun({ run }: { run: Run }) {
  const cancel = () => useRuns.getState().cancel(run.id).catch(report);
  return (
    <IconButton
      icon="close"
      label={t("queue.cancel", { number: run.number })}
      disabled={run.cancelling}
      onClick={() => void cancel()}
      small
    />
  );
}

/** Open the gallery. */
export function showGallery(): void {
  useUi.getState().openPanel("gallery");
}
