import { type ReactFlowState, useStoreApi } from "@xyflow/react";
import { useEffect, useRef } from "react";
import { usePlan } from "../state/plan";
import { useRuns } from "../state/runs";
import { useUi } from "../state/ui";
import { t } from "../text/text";
import { follow } from "./gesture";
import { useScene } from "./now";
import { shownNow } from "./Overview";
import { coloursOf, paintOf } from "./overview";
import { around, type Point, type Rect } from "./rect";
import { stageNow, stageSize } from "./stage";
import { centred, seen } from "./view";

const SIZE = { width: 176, height: 112 };
const MARGIN = 8;

/** Larger graphs have none: painting it would cost more than it helps. */
export const MOST_NODES = 1500;

/** The whole graph in a corner, with a rectangle around what is seen; drag to look elsewhere. */
export function Minimap() {
  const scene = useScene();
  const runs = useRuns((state) => state.nodes);
  const problems = usePlan((state) => state.ofNode);
  const selection = useUi((state) => state.selection);
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const map = useRef<Map>({ scale: 1, x: 0, y: 0 });
  const flow = useStoreApi();

  // biome-ignore lint/correctness/useExhaustiveDependencies: what is painted is read from the stores; these say when
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    const whole = around(scene.boxes.values());
    if (!canvas.current || !context || whole === null) return;
    map.current = mapOf(whole);
    const colours = coloursOf(canvas.current);
    const ratio = window.devicePixelRatio;
    canvas.current.width = SIZE.width * ratio;
    canvas.current.height = SIZE.height * ratio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const shown = shownNow();
    for (const [id, box] of scene.boxes) {
      const look = paintOf(id, shown);
      context.globalAlpha = look.alpha;
      context.fillStyle = look.border === "line" ? colours.line : colours[look.border];
      context.fillRect(...onMap(map.current, box));
    }
    outline(frame.current, map.current, flow.getState());
  }, [scene, runs, problems, selection]);

  useEffect(() => flow.subscribe((state) => outline(frame.current, map.current, state)), [flow]);

  return (
    <div
      className="minimap"
      title={t("canvas.minimap")}
      aria-hidden="true"
      style={SIZE}
      onPointerDown={(event) => {
        const corner = event.currentTarget.getBoundingClientRect();
        const go = (at: Point) => lookAt(map.current, { x: at.x - corner.left, y: at.y - corner.top });
        go({ x: event.clientX, y: event.clientY });
        follow(event, { move: go, end: go });
      }}
    >
      <canvas ref={canvas} style={SIZE} />
      <div ref={frame} className="minimap-seen" />
    </div>
  );
}

/** React Flow knows the view and the size without asking the page for its layout. */
type Looked = Pick<ReactFlowState, "transform" | "width" | "height">;

interface Map {
  scale: number;
  x: number;
  y: number;
}

function mapOf(whole: Rect): Map {
  const scale = Math.min((SIZE.width - 2 * MARGIN) / whole.width, (SIZE.height - 2 * MARGIN) / whole.height, 0.2);
  return {
    scale,
    x: (SIZE.width - whole.width * scale) / 2 - whole.x * scale,
    y: (SIZE.height - whole.height * scale) / 2 - whole.y * scale,
  };
}

function onMap({ scale, x, y }: Map, box: Rect): [number, number, number, number] {
  return [box.x * scale + x, box.y * scale + y, Math.max(box.width * scale, 2), Math.max(box.height * scale, 2)];
}

/** Puts the rectangle around what is seen, as far as it lies on the map. */
function outline(element: HTMLElement | null, map: Map, { transform, ...size }: Looked): void {
  if (element === null) return;
  const [x, y, width, height] = onMap(map, seen({ x: transform[0], y: transform[1], zoom: transform[2] }, size));
  const left = Math.min(Math.max(x, 0), SIZE.width - 6);
  const top = Math.min(Math.max(y, 0), SIZE.height - 6);
  element.style.transform = `translate(${left}px, ${top}px)`;
  element.style.width = `${Math.max(Math.min(x + width, SIZE.width - 2) - left, 4)}px`;
  element.style.height = `${Math.max(Math.min(y + height, SIZE.height - 2) - top, 4)}px`;
}

function lookAt({ scale, x, y }: Map, point: Point): void {
  const stage = stageNow();
  stage?.show(centred({ x: (point.x - x) / scale, y: (point.y - y) / scale }, stageSize(), stage.view().zoom), false);
}
