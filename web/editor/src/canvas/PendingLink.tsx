import { portPath } from "../graph/names";
import { t } from "../text/text";
import { curve } from "./curve";
import { refusalText } from "./linking";
import { kindsNow, sceneNow } from "./now";
import { portAt } from "./scene";
import { stageNow, windowPoint } from "./stage";
import { useCanvas } from "./store";
import { toneOf } from "./tone";

/** The link that is being dragged, and what would come of letting it go. */
export function PendingLink() {
  const pending = useCanvas((state) => state.pending);
  return pending === null ? null : <Hanging />;
}

function Hanging() {
  const pending = useCanvas((state) => state.pending);
  const pointer = useCanvas((state) => state.pointer);
  const target = useCanvas((state) => state.target);
  const stage = stageNow();
  if (pending === null || stage === null) return null;
  const { boxes } = sceneNow();
  const corner = stage.element.getBoundingClientRect();
  const here = (point: { x: number; y: number }) => ({ x: point.x - corner.left, y: point.y - corner.top });
  const start = portAt(boxes, pending.from, pending.side);
  if (start === null) return null;
  const other = pending.side === "out" ? "in" : "out";
  const port =
    target !== null && target.refusal === null && target.port !== null ? portAt(boxes, target.port, other) : null;
  const fixed = here(windowPoint(start));
  const loose = port === null ? here(pointer) : here(windowPoint(port));
  const [from, to] = pending.side === "out" ? [fixed, loose] : [loose, fixed];
  const at = here(pointer);
  return (
    <div className="pending">
      <svg className="pending-line" data-tone={toneOf(kindsNow().type(pending.from, pending.side))} aria-hidden="true">
        <path d={curve(from, to)} data-refused={target?.refusal ? true : undefined} />
        <circle cx={loose.x} cy={loose.y} r={5} />
      </svg>
      <p
        className="pending-text"
        data-refused={target?.refusal ? true : undefined}
        style={{ transform: `translate(${at.x + 16}px, ${at.y + 14}px)` }}
      >
        {textFor()}
      </p>
    </div>
  );

  function textFor(): string {
    if (pending === null) return "";
    if (target?.refusal) return refusalText(target.refusal);
    if (target?.port) return portPath(target.port);
    if (pending.taken !== null) return t("canvas.pending.remove");
    return kindsNow().label(pending.from, pending.side);
  }
}
