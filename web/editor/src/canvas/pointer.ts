import type { MouseEvent as ReactMouseEvent, PointerEvent as ReactPointerEvent } from "react";
import { editFrame, type Frame, moveNodes, nodesInFrame, type Port, resizeNode } from "../graph/document";
import { SIZES } from "../graph/geometry";
import { framesInFrame } from "../graph/layout";
import { useDocument } from "../state/document";
import { usePreferences } from "../state/preferences";
import { useUi } from "../state/ui";
import { docNow, selectNodes, selectNothing } from "./actions";
import { follow } from "./gesture";
import { linkFromPort } from "./linking";
import { openCanvasMenu, openFrameMenu, openNodeMenu, openPortMenu } from "./menus";
import { sceneNow } from "./now";
import { isStretchable } from "./places";
import { between, holds, overlaps, type Point, type Rect } from "./rect";
import { graphPoint, showRect, stageNow } from "./stage";
import { type Moving, useCanvas } from "./store";
import { OVERVIEW_ZOOM } from "./view";

/** Nodes stand on this grid where a person wants one. */
export const GRID = 20;

const LEAST_FRAME = 80;

/** What answers to the pointer itself. */
const OWN = ".nodrag, input, textarea, select, button, a, label, [contenteditable], [role='slider']";

/** The pointer went down somewhere on the canvas: what it grasps decides what it does. */
export function onStageDown(event: ReactPointerEvent<HTMLElement>, spaceHeld: boolean): void {
  const { target } = event;
  if (!(target instanceof Element) || event.button !== 0 || !event.isPrimary) return;
  if (spaceHeld) {
    event.preventDefault();
    pan(event);
    return;
  }
  const port = portOf(target);
  const node = target.closest<HTMLElement>("[data-node]")?.dataset.node;
  const frame = target.closest<HTMLElement>("[data-frame]")?.dataset.frame;
  if (port !== null) linkFromPort(event, port.port, port.side);
  else if (target.closest("[data-resize]") !== null) resize(event, node, frame);
  else if (target.closest(OWN) !== null) return;
  else if (frame !== undefined) dragFrame(event, frame);
  else if (node !== undefined) dragNodes(event, node);
  else if (target.closest(".react-flow__edge, .minimap, .chip") === null) onEmpty(event);
}

function onEmpty(event: ReactPointerEvent<HTMLElement>): void {
  const far = (stageNow()?.view().zoom ?? 1) < OVERVIEW_ZOOM;
  const hit = far ? nodeAt(graphPoint({ x: event.clientX, y: event.clientY })) : null;
  if (hit !== null) dragNodes(event, hit);
  else if (event.pointerType !== "touch") selectBox(event);
}

/** The port that an element belongs to. */
export function portOf(target: Element): { port: Port; side: "in" | "out" } | null {
  const element = target.closest<HTMLElement>("[data-port]");
  const { port, side, of: node } = element?.dataset ?? {};
  return port === undefined || node === undefined
    ? null
    : { port: { node, port }, side: side === "out" ? "out" : "in" };
}

/** The node at a point of the graph, the topmost where several lie there. */
export function nodeAt(point: Point): string | null {
  let found: string | null = null;
  for (const [id, box] of sceneNow().boxes) if (holds(box, point)) found = id;
  return found;
}

function pan(event: ReactPointerEvent<HTMLElement>): void {
  const stage = stageNow();
  const start = stage?.view();
  if (stage === null || start === undefined) return;
  const to = (at: Point) =>
    stage.show({ ...start, x: start.x + at.x - event.clientX, y: start.y + at.y - event.clientY }, false);
  follow(event, { move: to, end: to, cancel: () => stage.show(start, false) });
}

function selectBox(event: ReactPointerEvent<HTMLElement>): void {
  const start = graphPoint({ x: event.clientX, y: event.clientY });
  const add = event.shiftKey || event.ctrlKey || event.metaKey;
  const before = add ? useUi.getState().selection : new Set<string>();
  const select = (at: Point) => {
    const box = between(start, graphPoint(at));
    useCanvas.setState({ box });
    useUi.getState().select([...before, ...nodesIn(box)]);
  };
  // A press on empty space takes the keyboard away from whatever had it; the canvas' own keys then work.
  stageNow()?.element.focus({ preventScroll: true });
  follow(event, {
    start: () => !add && selectNothing(),
    move: select,
    end: (_at, _up, moved) => {
      useCanvas.setState({ box: null });
      if (!moved && !add) selectNothing();
    },
    cancel: () => {
      useCanvas.setState({ box: null });
      useUi.getState().select(before);
    },
  });
}

function nodesIn(box: Rect): string[] {
  return [...sceneNow().boxes].filter(([, placed]) => overlaps(placed, box)).map(([id]) => id);
}

function dragNodes(event: ReactPointerEvent<HTMLElement>, id: string): void {
  const { selection } = useUi.getState();
  const many = event.shiftKey || event.ctrlKey || event.metaKey;
  const selected = selection.has(id);
  if (many) toggle(id, selected);
  else if (!selected) selectNodes([id]);
  const { boxes } = sceneNow();
  const ids = [...useUi.getState().selection].filter((one) => boxes.has(one));
  const held = boxes.get(id);
  if (held === undefined || !ids.includes(id)) return;
  const start = graphPoint({ x: event.clientX, y: event.clientY });
  let moving: Moving | null = null;
  follow(event, {
    move: (at) => {
      const { dx, dy } = snapped(held, start, graphPoint(at));
      const nodes = Object.fromEntries(
        ids.map((one) => [one, [(boxes.get(one)?.x ?? 0) + dx, (boxes.get(one)?.y ?? 0) + dy] as [number, number]]),
      );
      moving = { nodes, frames: {}, sizes: {} };
      useCanvas.setState({ moving });
    },
    end: (_at, _up, moved) => {
      const spots = moving?.nodes;
      if (spots !== undefined) useDocument.getState().edit("canvas.edit.move", (doc) => moveNodes(doc, spots));
      else if (!moved && !many && selected) selectNodes([id]);
      useCanvas.setState({ moving: null });
    },
    cancel: () => useCanvas.setState({ moving: null }),
  });
}

function toggle(id: string, selected: boolean): void {
  const { selection, select } = useUi.getState();
  select(selected ? [...selection].filter((one) => one !== id) : [...selection, id]);
}

/** How far something has been dragged, in whole pixels or from grid line to grid line. */
function snapped(held: Point, start: Point, now: Point): { dx: number; dy: number } {
  const step = usePreferences.getState().snap ? GRID : 1;
  const to = (place: number, by: number) => Math.round((place + by) / step) * step - place;
  return { dx: to(held.x, now.x - start.x), dy: to(held.y, now.y - start.y) };
}

function dragFrame(event: ReactPointerEvent<HTMLElement>, id: string): void {
  const doc = docNow();
  const frame = doc.frames?.[id];
  if (frame === undefined) return;
  const { boxes } = sceneNow();
  const inside = nodesInFrame(doc, id);
  const frames = [id, ...framesInFrame(doc, id)];
  const start = graphPoint({ x: event.clientX, y: event.clientY });
  const [x, y] = frame.spot;
  let moving: Moving | null = null;
  selectNothing();
  useCanvas.setState({ selectedFrame: id });
  follow(event, {
    move: (at) => {
      const { dx, dy } = snapped({ x, y }, start, graphPoint(at));
      const nodes: Moving["nodes"] = {};
      for (const node of inside) nodes[node] = [(boxes.get(node)?.x ?? 0) + dx, (boxes.get(node)?.y ?? 0) + dy];
      moving = {
        nodes,
        frames: Object.fromEntries(frames.map((one) => [one, shifted(doc.frames?.[one], dx, dy)])),
        sizes: {},
      };
      useCanvas.setState({ moving });
    },
    end: () => {
      const done = moving;
      if (done !== null) {
        useDocument
          .getState()
          .edit("canvas.edit.moveFrame", (now) =>
            Object.entries(done.frames).reduce(
              (next, [one, spot]) => editFrame(next, one, { spot }),
              moveNodes(now, done.nodes),
            ),
          );
      }
      useCanvas.setState({ moving: null });
    },
    cancel: () => useCanvas.setState({ moving: null }),
  });
}

function shifted(frame: Frame | undefined, dx: number, dy: number): Frame["spot"] {
  const [x, y, width, height] = frame?.spot ?? [0, 0, 1, 1];
  return [x + dx, y + dy, width, height];
}

function resize(event: ReactPointerEvent<HTMLElement>, node: string | undefined, frame: string | undefined): void {
  const doc = docNow();
  const spot = frame === undefined ? undefined : doc.frames?.[frame]?.spot;
  const box: Rect | undefined =
    spot === undefined ? sceneNow().boxes.get(node ?? "") : { x: spot[0], y: spot[1], width: spot[2], height: spot[3] };
  if (box === undefined) return;
  const start = graphPoint({ x: event.clientX, y: event.clientY });
  const placed = sceneNow().boxes.get(node ?? "");
  const stretches = placed !== undefined && isStretchable(placed.box, doc.nodes[node ?? ""]?.type);
  const least = frame === undefined ? SIZES.minWidth : LEAST_FRAME;
  const sizeAt = (at: Point): [number, number] => {
    const now = graphPoint(at);
    const { dx, dy } = snapped({ x: box.width, y: box.height }, start, now);
    return [Math.max(least, box.width + dx), Math.max(40, box.height + dy)];
  };
  follow(event, {
    move: (at) => {
      const [width, height] = sizeAt(at);
      const sizes: Moving["sizes"] = node === undefined ? {} : { [node]: [width, stretches ? height : 1] };
      const frames: Moving["frames"] = frame === undefined ? {} : { [frame]: [box.x, box.y, width, height] };
      useCanvas.setState({ moving: { nodes: {}, frames, sizes: frame === undefined ? sizes : {} } });
    },
    end: (at, _up, moved) => {
      const [width, height] = sizeAt(at);
      if (moved && frame !== undefined) {
        useDocument
          .getState()
          .edit("canvas.edit.resize", (now) => editFrame(now, frame, { spot: [box.x, box.y, width, height] }));
      } else if (moved && node !== undefined) {
        // A hand that only makes a node wider shakes a little: its height stays free to follow what it holds.
        const kept = doc.layout?.[node]?.[3];
        const wish = stretches && Math.abs(height - box.height) >= GRID / 2 ? height : kept;
        useDocument.getState().edit("canvas.edit.resize", (now) => resizeNode(now, node, width, wish));
      }
      useCanvas.setState({ moving: null });
    },
    cancel: () => useCanvas.setState({ moving: null }),
  });
}

/** Twice on empty space: add a node there; from far away, go to the node that lies there. */
export function onStageDoubleClick(event: ReactMouseEvent<HTMLElement>): void {
  const { target } = event;
  const taken = "[data-node], [data-frame], .react-flow__edge, .minimap, .chip, .palette, .menu";
  if (!(target instanceof Element) || target.closest(taken) !== null) return;
  const at = { x: event.clientX, y: event.clientY };
  const far = (stageNow()?.view().zoom ?? 1) < OVERVIEW_ZOOM;
  const hit = far ? nodeAt(graphPoint(at)) : null;
  if (hit !== null) showRect(sceneNow().boxes.get(hit) ?? null);
  else useUi.getState().openPalette({ at });
}

/** The context menu of what lies under the pointer, or of what has the keyboard. */
export function onStageMenu(event: ReactMouseEvent<HTMLElement>): void {
  const { target } = event;
  if (!(target instanceof Element) || target.closest("input, textarea, .palette, .menu") !== null) return;
  event.preventDefault();
  const at = { x: event.clientX, y: event.clientY };
  const port = portOf(target);
  const node = target.closest<HTMLElement>("[data-node]")?.dataset.node;
  const frame = target.closest<HTMLElement>("[data-frame]")?.dataset.frame;
  if (port !== null) openPortMenu(port.port, port.side, at);
  else if (node !== undefined) openNodeMenu(node, at);
  else if (frame !== undefined) openFrameMenu(frame, at);
  else if (target.closest(".react-flow__edge, .chip") === null) openCanvasMenu(at);
}
