import { type CSSProperties, memo } from "react";
import { Film } from "../panels/Film";
import { isPlayed } from "../panels/pictures";
import { artifactUrl } from "../state/api";
import { useRuns } from "../state/runs";
import { useUi } from "../state/ui";
import { t } from "../text/text";
import { columnsOf, knowRatio, useLooks } from "./looks";

/** How far a running node is. */
export function NodeProgress({ id }: { id: string }) {
  const running = useRuns((state) => state.nodes[id]?.state === "running");
  const done = useRuns((state) => state.nodes[id]?.done);
  const total = useRuns((state) => state.nodes[id]?.total);
  if (!running) return null;
  const known = done !== undefined && total !== undefined && total !== null && total > 0;
  return (
    <div
      className="node-progress"
      role="progressbar"
      aria-label={t("canvas.node.progress", { node: id })}
      aria-valuemin={0}
      aria-valuemax={known ? total : undefined}
      aria-valuenow={known ? done : undefined}
      data-known={known || undefined}
    >
      <div className="node-progress-done" style={known ? { transform: `scaleX(${Math.min(done / total, 1)})` } : {}} />
      {known && (
        <span className="node-progress-text">
          {done}/{total}
        </span>
      )}
    </div>
  );
}

/** The pictures and videos that a node has made, or the one that is coming. */
export const NodePictures = memo(function NodePictures(props: { id: string; style: CSSProperties; width: number }) {
  const { id, style, width } = props;
  const look = useLooks((state) => state.looks[id]);
  if (look === undefined) return null;
  if (look.preview !== null) {
    return (
      <div className="node-pictures" style={style}>
        <img
          className="node-preview"
          src={look.preview}
          alt={t("canvas.node.preview", { node: id })}
          draggable={false}
          onLoad={({ currentTarget }) => knowRatio(id, currentTarget.naturalHeight / currentTarget.naturalWidth)}
        />
      </div>
    );
  }
  const columns = columnsOf(look.pictures.length);
  const size = Math.ceil((width * 2) / Math.max(columns, 1) / 64) * 64;
  return (
    <div
      className="node-pictures nodrag"
      data-stale={look.stale || undefined}
      style={{ ...style, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}
    >
      {look.pictures.map((picture, index) =>
        isPlayed(picture) ? (
          <Film key={picture.digest} className="node-film" artifact={picture} />
        ) : (
          <button
            key={picture.digest}
            type="button"
            className="node-picture"
            aria-label={t("canvas.node.picture", { node: id, number: index + 1 })}
            onClick={() =>
              useUi.getState().openLightbox({ items: [...(useRuns.getState().nodes[id]?.pictures ?? [])], index })
            }
          >
            <img src={artifactUrl(picture, size)} alt="" draggable={false} loading="lazy" decoding="async" />
          </button>
        ),
      )}
    </div>
  );
});

/** What a node has said, and why it failed. */
export const NodeMessages = memo(function NodeMessages({ id, style }: { id: string; style: CSSProperties }) {
  const look = useLooks((state) => state.looks[id]);
  if (look === undefined) return null;
  const { error, messages } = look;
  return (
    <div className="node-messages" style={style}>
      {error !== null && (
        <p className="node-error" title={`${error.what}\n${error.fix}`}>
          {error.what}
        </p>
      )}
      {messages.map((message, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: messages are only added at the end
        <p key={index} className="node-message" title={message}>
          {message}
        </p>
      ))}
    </div>
  );
});
