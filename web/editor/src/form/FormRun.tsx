import { RunFailure } from "../panels/RunLine";
import { useDocument } from "../state/document";
import { shareDone } from "../state/nodeRuns";
import { isLive, useRuns } from "../state/runs";
import { report } from "../state/ui";
import { t } from "../text/text";
import { Icon } from "../widgets/Icon";

interface FormRunProps {
  sending: boolean;
  /** Gives up what was filled in; null where nothing was. */
  reset: (() => void) | null;
}

/** The run button, and how far the run of this form is. */
export function FormRun({ sending, reset }: FormRunProps) {
  const name = useDocument((state) => state.name);
  const run = useRuns((state) => {
    const shown = state.shown === null ? undefined : state.runs[state.shown];
    return shown?.name === name ? shown : undefined;
  });
  const part = useRuns((state) => shareDone(state.nodes));
  const ahead = useRuns(({ queue }) => {
    const place = run === undefined ? -1 : queue.order.indexOf(run.id);
    return Math.max(place, 0) + (queue.running === null || queue.running === run?.id ? 0 : 1);
  });
  const live = isLive(run);
  const cancel = () => run && void useRuns.getState().cancel(run.id).catch(report);
  return (
    <>
      {run?.state === "failed" && <RunFailure run={run} />}
      <div className="form-run">
        <button type="submit" className="run-button is-large" disabled={sending}>
          <Icon name="play" size={14} /> {t("command.run")}
        </button>
        {live && (
          <button type="button" className="quiet-button" disabled={run?.cancelling} onClick={cancel}>
            <Icon name="stop" size={14} /> {t("top.cancel")}
          </button>
        )}
        {!live && reset !== null && (
          <button type="button" className="quiet-button" onClick={reset}>
            {t("form.resetAll")}
          </button>
        )}
        <p className="form-state" role="status">
          {run?.state === "queued" && (ahead > 0 ? t("form.waiting", { count: ahead }) : t("run.state.queued"))}
          {run?.state === "running" && part !== null && t("top.percent", { percent: Math.floor(part * 100) })}
        </p>
        {live && (
          <progress value={part ?? undefined} max={1} aria-label={t("queue.progress", { name: run?.name ?? "" })} />
        )}
      </div>
    </>
  );
}
