import { ViewportPortal } from "@xyflow/react";
import { type KeyboardEvent, memo } from "react";
import { editFrame, type Frame, moveFrame } from "../graph/document";
import { useDocument } from "../state/document";
import { t } from "../text/text";
import { selectNothing } from "./actions";
import { RenameField } from "./RenameField";
import { useCanvas } from "./store";

/** The frames behind the nodes. */
export function Frames() {
  const frames = useDocument((state) => state.document.frames);
  if (frames === undefined) return null;
  return (
    <ViewportPortal>
      <div className="frames">
        {Object.entries(frames).map(([id, frame]) => (
          <FrameView key={id} id={id} frame={frame} />
        ))}
      </div>
    </ViewportPortal>
  );
}

const FrameView = memo(function FrameView({ id, frame }: { id: string; frame: Frame }) {
  const moved = useCanvas((state) => state.moving?.frames[id]);
  const selected = useCanvas((state) => state.selectedFrame === id);
  const renaming = useCanvas(
    (state) => state.renaming !== null && "frame" in state.renaming && state.renaming.frame === id,
  );
  const [left, top, width, height] = moved ?? frame.spot;
  return (
    <div
      className="frame"
      data-tint={frame.tint ?? "gray"}
      data-selected={selected || undefined}
      style={{ left, top, width, height }}
    >
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be drawn as a title */}
      <div
        className="frame-header"
        role="group"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a frame answers to keys
        tabIndex={0}
        aria-label={t("canvas.frame.name", { title: frame.title })}
        data-frame={id}
        data-keys="canvas"
        onFocus={() => {
          selectNothing();
          useCanvas.setState({ selectedFrame: id });
        }}
        onDoubleClick={() => useCanvas.setState({ renaming: { frame: id } })}
        onKeyDown={(event) => onKeyDown(event, id, frame)}
      >
        {renaming ? (
          <Title id={id} title={frame.title} />
        ) : (
          <span className="frame-title">{frame.title || "\u00a0"}</span>
        )}
      </div>
      <span className="frame-resize" data-frame={id} data-resize="frame" />
    </div>
  );
});

const STEPS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Alt and an arrow move a frame, Shift and an arrow make it larger or smaller, Enter writes its title. */
function onKeyDown(event: KeyboardEvent<HTMLElement>, id: string, frame: Frame): void {
  if (event.target !== event.currentTarget) return;
  const step = STEPS[event.key];
  const [x, y, width, height] = frame.spot;
  const { edit } = useDocument.getState();
  if (event.key === "Enter" || event.key === "F2") useCanvas.setState({ renaming: { frame: id } });
  else if (step !== undefined && event.altKey) {
    edit("canvas.edit.moveFrame", (doc) => moveFrame(doc, id, [x + step[0] * 20, y + step[1] * 20]), `frame ${id}`);
  } else if (step !== undefined && event.shiftKey) {
    const spot: Frame["spot"] = [x, y, Math.max(80, width + step[0] * 20), Math.max(80, height + step[1] * 20)];
    edit("canvas.edit.resize", (doc) => editFrame(doc, id, { spot }), `frame size ${id}`);
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

function Title({ id, title }: { id: string; title: string }) {
  const keep = (text: string) =>
    void useDocument.getState().edit("canvas.edit.frame", (doc) => editFrame(doc, id, { title: text }));
  return (
    <RenameField className="frame-rename" label={t("canvas.frame.rename")} text={title} longest={200} keep={keep} />
  );
}
