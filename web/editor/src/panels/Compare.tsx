import { useState } from "react";
import type { Artifact } from "../state/api";
import { t } from "../text/text";
import { Stage } from "./Stage";
import { ViewerPicture } from "./ViewerPicture";
import type { Size, Zoom } from "./zoom";

interface CompareProps {
  left: Artifact;
  right: Artifact;
  /** What tells them apart, such as their places among the others. */
  names: [string, string];
  size: Size;
  zoom: Zoom;
  setZoom: (zoom: Zoom) => void;
}

/** Two pictures over each other with a line between them: drag it, or move it with the arrow keys. */
export function Compare({ left, right, names, size, zoom, setZoom }: CompareProps) {
  const [part, setPart] = useState(0.5);
  const percent = Math.round(part * 100);
  return (
    <div className="compare">
      <Stage picture={size} zoom={zoom} setZoom={setZoom} slide={setPart}>
        {(style) => (
          <>
            <div className="compare-side">
              <ViewerPicture artifact={right} style={style} />
            </div>
            <div className="compare-side" style={{ clipPath: `inset(0 ${100 - part * 100}% 0 0)` }}>
              <ViewerPicture artifact={left} style={style} />
            </div>
            <div className="compare-line" style={{ left: `${part * 100}%` }} aria-hidden="true" />
          </>
        )}
      </Stage>
      <span className="compare-name is-left">A · {names[0]}</span>
      <span className="compare-name is-right">B · {names[1]}</span>
      <input
        // biome-ignore lint/a11y/noAutofocus: the arrow keys move the line as soon as two pictures are compared
        autoFocus
        className="compare-range"
        type="range"
        min={0}
        max={100}
        value={percent}
        aria-label={t("compare.line")}
        aria-valuetext={t("compare.share", { percent })}
        onChange={(event) => setPart(Number(event.target.value) / 100)}
      />
    </div>
  );
}
