import { ViewportPortal } from "@xyflow/react";
import { linkId, linksOf } from "../graph/links";
import { useDocument } from "../state/document";
import { useUi } from "../state/ui";
import { t } from "../text/text";
import { curveMiddle } from "./curve";
import { openLinkMenu } from "./menus";
import { kindsNow, useScene } from "./now";
import { portAt } from "./scene";
import { useCanvas } from "./store";
import { toneOf } from "./tone";

/** The label of the link under the pointer, or of the one that is selected: what flows in it. A click looks into it. */
export function LinkChip() {
  const id = useCanvas((state) =>
    state.pending !== null || state.moving !== null ? null : (state.hoveredLink ?? onlyOne(state.links)),
  );
  const doc = useDocument((state) => state.document);
  const { boxes } = useScene();
  const link = id === null ? undefined : linksOf(doc).find((one) => linkId(one) === id);
  const from = link && portAt(boxes, link.from, "out");
  const to = link && portAt(boxes, link.to, "in");
  if (!link || !from || !to) return null;
  const kinds = kindsNow();
  const at = curveMiddle(from, to);
  const label = kinds.label(link.from, "out");
  return (
    <ViewportPortal>
      <button
        type="button"
        className="chip"
        data-tone={toneOf(kinds.type(link.from, "out"))}
        style={{ transform: `translate(-50%, -50%) translate(${at.x}px, ${at.y}px)` }}
        title={t("canvas.inspect")}
        onClick={() => useUi.getState().inspect(link.from)}
        onContextMenu={(event) => {
          event.preventDefault();
          openLinkMenu(link, { x: event.clientX, y: event.clientY });
        }}
        onPointerEnter={() => useCanvas.setState({ hoveredLink: linkId(link) })}
        onPointerLeave={() => useCanvas.setState({ hoveredLink: null })}
      >
        {label}
      </button>
    </ViewportPortal>
  );
}

function onlyOne(links: ReadonlySet<string>): string | null {
  const [first] = links;
  return links.size === 1 && first !== undefined ? first : null;
}
