import {
  addFrame,
  editFrame,
  type Frame,
  type GraphDocument,
  moveNodes,
  nodesInFrame,
  resizeNode,
} from "../graph/document";
import { type NodeBox, SIZES } from "../graph/geometry";
import { api } from "../state/api";
import { useDocument } from "../state/document";
import { t } from "../text/text";
import { boxesOf, docNow, selectedNodes } from "./actions";
import { type Alignment, aligned, distributed, type Spots } from "./arrange";
import { sceneNow, wholeNow } from "./now";
import { around, type Rect } from "./rect";
import { graphPoint, motion, showRect, stageMiddle } from "./stage";
import { useCanvas } from "./store";

const FRAME_MARGIN = { side: 24, top: 44 };

/** Bring the selected nodes to a common line. */
export function align(alignment: Alignment): void {
  place(aligned(boxesOf(selectedNodes()), alignment));
}

/** Bring the selected nodes to equal distances. */
export function distribute(way: "across" | "down"): void {
  place(distributed(boxesOf(selectedNodes()), way));
}

/** Move the selected nodes by some pixels; quick repetitions are one step. */
export function nudge(dx: number, dy: number): void {
  const spots: Spots = {};
  for (const [id, box] of boxesOf(selectedNodes())) spots[id] = [box.x + dx, box.y + dy];
  if (Object.keys(spots).length === 0) return;
  useDocument.getState().edit("canvas.edit.move", (doc) => moveNodes(doc, spots), "canvas.nudge");
}

/** Make the selected nodes wider, and those whose height is free higher, by some pixels. */
export function grow(dx: number, dy: number): void {
  const { boxes } = sceneNow();
  const ids = selectedNodes();
  useDocument.getState().edit(
    "canvas.edit.resize",
    (doc) =>
      ids.reduce((next, id) => {
        const placed = boxes.get(id);
        if (placed === undefined || (dx === 0 && !isStretchable(placed.box, doc.nodes[id]?.type))) return next;
        const height = dy === 0 ? doc.layout?.[id]?.[3] : Math.max(placed.height + dy, SIZES.header);
        return resizeNode(next, id, Math.round(placed.width + dx), height);
      }, doc),
    "canvas.grow",
  );
}

/** Whether a node can be higher than what it holds: pictures and long texts fill the room, a note is all text. */
export function isStretchable(box: NodeBox, type: string | undefined): boolean {
  return type === "Note" || box.rows.some((row) => row.is === "picture" || (row.is === "value" && row.multiline));
}

function place(spots: Spots): void {
  if (Object.keys(spots).length > 0) useDocument.getState().edit("canvas.edit.align", (doc) => moveNodes(doc, spots));
}

/** Let the server lay out the selected nodes, or all of them; they glide to their places, and frames follow. */
export async function tidy(): Promise<void> {
  const chosen = selectedNodes();
  const only = chosen.length > 1 ? chosen : undefined;
  const doc = docNow();
  const boxes = boxesOf(Object.keys(doc.nodes));
  const sizes: Record<string, [number, number]> = {};
  for (const [id, box] of boxes) sizes[id] = [box.width, box.height];
  const layout = await api.layout(doc, sizes, only);
  const spots: Spots = {};
  for (const [id, [x, y]] of Object.entries(layout)) {
    if ((only === undefined || only.includes(id)) && docNow().nodes[id]) spots[id] = [Math.round(x), Math.round(y)];
  }
  if (motion() && Object.keys(spots).length <= MOST_GLIDING) await glide(boxes, spots);
  useDocument.getState().edit("canvas.edit.tidy", (now) => framesFollow(moveNodes(now, spots), now, spots, boxes));
  useCanvas.setState({ moving: null });
  if (only === undefined) showRect(wholeNow());
}

/** The frames of the nodes that were moved, put around them anew. */
function framesFollow(doc: GraphDocument, before: GraphDocument, spots: Spots, boxes: ReadonlyMap<string, Rect>) {
  return Object.keys(before.frames ?? {}).reduce((next, frame) => {
    const inside = nodesInFrame(before, frame);
    if (!inside.some((id) => spots[id] !== undefined)) return next;
    const rects = inside.flatMap((id) => {
      const box = boxes.get(id);
      const [x, y] = spots[id] ?? [box?.x ?? 0, box?.y ?? 0];
      return box === undefined ? [] : [{ ...box, x, y }];
    });
    return editFrame(next, frame, { spot: framing(around(rects)) });
  }, doc);
}

const GLIDE_TIME = 220;

/** More nodes than this jump to their places: gliding would stutter. */
const MOST_GLIDING = 300;

function glide(from: ReadonlyMap<string, Rect>, to: Spots): Promise<void> {
  const began = performance.now();
  return new Promise((done) => {
    const step = (now: number) => {
      const part = Math.min((now - began) / GLIDE_TIME, 1);
      const eased = 1 - (1 - part) ** 3;
      const nodes: Spots = {};
      for (const [id, [x, y]] of Object.entries(to)) {
        const start = from.get(id) ?? { x, y };
        nodes[id] = [start.x + (x - start.x) * eased, start.y + (y - start.y) * eased];
      }
      useCanvas.setState({ moving: { nodes, frames: {}, sizes: {} } });
      if (part < 1) requestAnimationFrame(step);
      else done();
    };
    requestAnimationFrame(step);
  });
}

/** Put a frame around the selected nodes, or an empty one in the middle; its title is asked for. */
export function frameSelected(): void {
  const spot = framing(around(boxesOf(selectedNodes()).values()));
  let made: string | null = null;
  useDocument.getState().edit("canvas.edit.frame", (doc) => {
    const added = addFrame(doc, { title: t("canvas.frame.title"), spot });
    made = added.id;
    return added.doc;
  });
  if (made !== null) useCanvas.setState({ selectedFrame: made, renaming: { frame: made } });
}

/** Where a frame around some nodes is; around none it is in the middle of what is seen. */
function framing(whole: Rect | null): Frame["spot"] {
  const { x, y } = graphPoint(stageMiddle());
  const { side, top } = FRAME_MARGIN;
  const spot: Frame["spot"] =
    whole === null
      ? [x - 200, y - 140, 400, 280]
      : [whole.x - side, whole.y - top, whole.width + 2 * side, whole.height + top + side];
  return spot.map(Math.round) as Frame["spot"];
}
