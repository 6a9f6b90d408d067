import { type DragEvent, type KeyboardEvent, useState } from "react";
import type { Run } from "../state/api";
import { shareDone } from "../state/nodeRuns";
import { useRuns } from "../state/runs";
import { report } from "../state/ui";
import { t } from "../text/text";
import { Icon } from "../widgets/Icon";
import { IconButton } from "../widgets/IconButton";
import { Nothing, Panel } from "./Panel";
import { placeFor } from "./queueOrder";
import { CancelRun, RunFailure, RunLine, showGallery } from "./RunLine";

/** So many ended runs are listed here; the gallery has all. */
const RECENT = 6;

/** What runs, what waits in which order, and what has just ended. */
export function QueuePanel() {
  const { queue, runs, history, pause, resume } = useRuns();
  const running = queue.running === null ? undefined : runs[queue.running];
  const waiting = queue.order.flatMap((id) => runs[id] ?? []);
  const ended = history
    .flatMap((id) => runs[id] ?? [])
    .filter((run) => run.finished !== null && run.state !== "queued");
  const toggle = () => void (queue.paused ? resume() : pause()).catch(report);
  return (
    <Panel
      title={t("panel.queue")}
      actions={
        <IconButton
          icon={queue.paused ? "play" : "pause"}
          label={t(queue.paused ? "command.resume" : "command.pause")}
          pressed={queue.paused}
          onClick={toggle}
          small
        />
      }
    >
      {queue.paused && (
        <div className="banner is-warn">
          <p>{t("queue.pausedWhat")}</p>
          <button type="button" className="quiet-button" onClick={toggle}>
            {t("command.resume")}
          </button>
        </div>
      )}
      {running !== undefined && <Running run={running} />}
      {waiting.length > 0 && (
        <section>
          <h3 className="panel-heading">{t("queue.waiting", { count: waiting.length })}</h3>
          <Waiting runs={waiting} />
        </section>
      )}
      {running === undefined && waiting.length === 0 && <Nothing>{t("queue.empty")}</Nothing>}
      {ended.length > 0 && (
        <section>
          <h3 className="panel-heading">{t("queue.ended")}</h3>
          <ul className="run-list">
            {ended.slice(0, RECENT).map((run) => (
              <li key={run.id}>
                <RunLine run={run} />
                {run.state === "failed" && <RunFailure run={run} />}
              </li>
            ))}
          </ul>
          <button type="button" className="quiet-button" onClick={showGallery}>
            {t("queue.all")}
          </button>
        </section>
      )}
    </Panel>
  );
}

function Running({ run }: { run: Run }) {
  const part = useRuns((state) => (state.shown === run.id ? shareDone(state.nodes) : null));
  const active = useRuns((state) =>
    state.shown === run.id ? Object.keys(state.nodes).find((id) => state.nodes[id]?.state === "running") : undefined,
  );
  return (
    <section>
      <h3 className="panel-heading">{t(run.cancelling ? "queue.cancelling" : "queue.running")}</h3>
      <div className="run-card">
        <div className="run-row">
          <RunLine run={run} />
          <CancelRun run={run} />
        </div>
        <progress value={part ?? undefined} max={1} aria-label={t("queue.progress", { name: run.name })} />
        {active !== undefined && <p className="run-active">{active}</p>}
      </div>
    </section>
  );
}

function Waiting({ runs }: { runs: readonly Run[] }) {
  const [held, setHeld] = useState<string | null>(null);
  const [over, setOver] = useState<number | null>(null);
  const order = runs.map((run) => run.id);
  const go = (id: string, to: number) => {
    const place = placeFor(order, id, to);
    if (place !== null) void useRuns.getState().move(id, place).catch(report);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    if (held !== null && over !== null) go(held, over > order.indexOf(held) ? over - 1 : over);
    setHeld(null);
    setOver(null);
  };
  const drag = (event: DragEvent<HTMLElement>, index: number) => {
    event.preventDefault();
    const box = event.currentTarget.getBoundingClientRect();
    setOver(event.clientY > box.top + box.height / 2 ? index + 1 : index);
  };
  return (
    <ol className="run-list">
      {runs.map((run, index) => (
        <li
          key={run.id}
          className={`run-row${held === run.id ? " is-held" : ""}${over === index ? " is-before" : ""}${over === index + 1 && index === runs.length - 1 ? " is-after" : ""}`}
          draggable
          onDragStart={(event) => {
            event.dataTransfer.effectAllowed = "move";
            event.dataTransfer.setData("text/plain", run.name);
            setHeld(run.id);
          }}
          onDragOver={(event) => held !== null && drag(event, index)}
          onDrop={drop}
          onDragEnd={() => {
            setHeld(null);
            setOver(null);
          }}
        >
          <Grip run={run} index={index} count={runs.length} go={(to) => go(run.id, to)} />
          <RunLine run={run} />
          <CancelRun run={run} />
        </li>
      ))}
    </ol>
  );
}

interface GripProps {
  run: Run;
  index: number;
  count: number;
  go: (to: number) => void;
}

function Grip({ run, index, count, go }: GripProps) {
  const keys = (event: KeyboardEvent) => {
    const to = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: count - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    go(Math.min(count - 1, Math.max(0, to)));
  };
  const label = t("queue.grip", { number: run.number, place: index + 1, count });
  return (
    <button type="button" className="grip" aria-label={label} title={t("queue.gripHint")} onKeyDown={keys}>
      <Icon name="grip" size={14} />
    </button>
  );
}
