import { typeOf } from "../graph/catalog";
import { pasteText } from "../graph/clipboard";
import {
  addFrame,
  addNode,
  connect,
  disconnect,
  type GraphDocument,
  moveNodes,
  type NodeState,
  type Port,
  removeAndHeal,
  removeFrame,
  removeNodes,
  setNodeState,
} from "../graph/document";
import { type Link, linkId, linksOf } from "../graph/links";
import { api } from "../state/api";
import { useCatalog } from "../state/catalog";
import { useDocument } from "../state/document";
import { useUi } from "../state/ui";
import { t } from "../text/text";
import { type Alignment, aligned, distributed, type Spots } from "./arrange";
import { copyNodes } from "./clip";
import { sceneNow } from "./now";
import { around, type Point, type Rect } from "./rect";
import { graphPoint, motion, reveal, showRect, stageMiddle } from "./stage";
import { NO_LINKS, say, useCanvas } from "./store";
import { dropped, type Known, linksFrom, linksInto } from "./wire";

const FRAME_MARGIN = { side: 24, top: 44 };
const COPY_OFFSET = 32;

/** What decides whether links fit. */
export function knownNow(): Known {
  const { types, models } = useCatalog.getState();
  return { types, models };
}

/** The document that is open. */
export function docNow(): GraphDocument {
  return useDocument.getState().document;
}

/** Ids of the selected nodes that are there, in the document's order. */
export function selectedNodes(): string[] {
  const { selection } = useUi.getState();
  return selection.size === 0 ? [] : Object.keys(docNow().nodes).filter((id) => selection.has(id));
}

/** The selected links that are there. */
export function selectedLinks(): Link[] {
  const { links } = useCanvas.getState();
  return links.size === 0 ? [] : linksOf(docNow()).filter((link) => links.has(linkId(link)));
}

/** Select nodes only; `focus` lets the keyboard go on from the first one. */
export function selectNodes(ids: readonly string[], focus = false): void {
  useUi.getState().select(ids);
  useCanvas.setState({ links: NO_LINKS, selectedFrame: null });
  const [first] = ids;
  if (focus && first !== undefined) focusNode(first);
}

/** Select one link only. */
export function selectLink(id: string, add = false): void {
  if (!add) useUi.getState().select([]);
  useCanvas.setState(({ links }) => ({ links: new Set(add ? [...links, id] : [id]), selectedFrame: null }));
}

/** Select nothing. */
export function selectNothing(): void {
  useUi.getState().select([]);
  useCanvas.setState({ links: NO_LINKS, selectedFrame: null });
}

/** Bring a node into view and give it the keyboard; it may have to be drawn first. */
export function focusNode(id: string, tries = 20): void {
  const placed = sceneNow().boxes.get(id);
  if (placed === undefined) return;
  reveal(placed);
  const attempt = (left: number) => {
    const element = document.querySelector<HTMLElement>(`[data-node="${CSS.escape(id)}"]`);
    if (element !== null) element.focus({ preventScroll: true });
    else if (left > 0) requestAnimationFrame(() => attempt(left - 1));
  };
  attempt(tries);
}

/** Add a node at a place of the window, linked to a port at once where it hangs on one. Returns its id. */
export function addAt(type: string, at: Point, wire?: { from: Port; side: "in" | "out"; port: string }): string | null {
  const spec = typeOf(useCatalog.getState().types, type);
  if (spec === undefined) return null;
  const { x, y } = graphPoint(at);
  const left = wire?.side === "in" ? x - 240 : x;
  let made: string | null = null;
  useDocument.getState().edit("canvas.edit.add", (doc) => {
    const added = addNode(doc, spec, [Math.round(left), Math.round(y - 16)]);
    made = added.id;
    if (wire === undefined) return added.doc;
    const port = { node: added.id, port: wire.port };
    const { types } = useCatalog.getState();
    return wire.side === "out"
      ? connect(added.doc, types, wire.from, port)
      : connect(added.doc, types, port, wire.from);
  });
  if (made !== null) selectNodes([made], true);
  return made;
}

/** Link two ports. Returns whether it could be done; a refusal is told. */
export function link(from: Port, to: Port): boolean {
  const { types } = useCatalog.getState();
  const { base, ...pending } = { from, side: "out" as const, taken: null, base: docNow() };
  return useDocument.getState().edit("canvas.edit.link", (doc) => dropped(doc, types, { ...pending, base }, to));
}

/** Take links away. */
export function removeLinks(links: readonly Link[]): void {
  if (links.length === 0) return;
  const { types } = useCatalog.getState();
  // A list's items move up when one goes: the last ones go first.
  const ordered = [...links].sort((a, b) => (b.item ?? 0) - (a.item ?? 0));
  useDocument
    .getState()
    .edit("canvas.edit.unlink", (doc) => ordered.reduce((next, one) => disconnect(next, one, types), doc));
}

/** Take away the links at a port. */
export function removeLinksAt(port: Port, side: "in" | "out"): void {
  removeLinks(side === "in" ? linksInto(docNow(), port) : linksFrom(docNow(), port));
}

/** Remove the selected nodes, links and frame. `heal` lets links pass through where the types fit. */
export function removeSelected(heal = false): void {
  const nodes = selectedNodes();
  const links = selectedLinks();
  const { selectedFrame } = useCanvas.getState();
  if (nodes.length > 0) {
    const { types } = useCatalog.getState();
    useDocument
      .getState()
      .edit("canvas.edit.remove", (doc) => (heal ? removeAndHeal(doc, types, nodes) : removeNodes(doc, nodes)));
    say(t("canvas.said.removed", { count: nodes.length }));
  } else if (links.length > 0) {
    removeLinks(links);
  } else if (selectedFrame !== null) {
    useDocument.getState().edit("canvas.edit.removeFrame", (doc) => removeFrame(doc, selectedFrame));
  }
  selectNothing();
}

/** Mute or bypass the selected nodes; where all are so already, let them run again. */
export function toggleState(state: NodeState): void {
  const ids = selectedNodes();
  if (ids.length === 0) return;
  const { nodes } = docNow();
  const all = ids.every((id) => nodes[id]?.state === state);
  const label = state === "mute" ? "canvas.edit.mute" : "canvas.edit.bypass";
  useDocument.getState().edit(label, (doc) => setNodeState(doc, ids, all ? null : state));
}

/** A second set of the selected nodes beside them, with the same links into it. */
export function duplicate(): void {
  const ids = selectedNodes();
  const whole = around(boxesOf(ids).values());
  if (whole === null) return;
  insert(copyNodes(docNow(), ids), [whole.x + COPY_OFFSET, whole.y + COPY_OFFSET], true, "canvas.edit.duplicate");
}

/** Put copied nodes on the canvas, at a place of the window or in its middle. */
export function pasteAt(text: string, at: Point = stageMiddle()): void {
  const { x, y } = graphPoint(at);
  insert(text, [Math.round(x), Math.round(y)], true, "canvas.edit.paste");
}

function insert(
  text: string,
  at: [number, number],
  keepOutside: boolean,
  label: "canvas.edit.paste" | "canvas.edit.duplicate",
) {
  let ids: string[] = [];
  useDocument.getState().edit(label, (doc) => {
    const pasted = pasteText(doc, useCatalog.getState().types, text, at, keepOutside);
    ids = pasted.ids;
    return pasted.doc;
  });
  if (ids.length > 0) {
    selectNodes(ids);
    say(t("canvas.said.added", { count: ids.length }));
  }
}

/** Boxes of some nodes. */
export function boxesOf(ids: Iterable<string>): Map<string, Rect> {
  const { boxes } = sceneNow();
  return new Map([...ids].flatMap((id) => (boxes.has(id) ? [[id, boxes.get(id) as Rect]] : [])));
}

/** Bring the selected nodes to a common line. */
export function align(alignment: Alignment): void {
  place("canvas.edit.align", aligned(boxesOf(selectedNodes()), alignment));
}

/** Bring the selected nodes to equal distances. */
export function distribute(way: "across" | "down"): void {
  place("canvas.edit.align", distributed(boxesOf(selectedNodes()), way));
}

/** Move the selected nodes by some pixels; quick repetitions are one step. */
export function nudge(dx: number, dy: number): void {
  const spots: Spots = {};
  for (const [id, box] of boxesOf(selectedNodes())) spots[id] = [box.x + dx, box.y + dy];
  if (Object.keys(spots).length === 0) return;
  useDocument.getState().edit("canvas.edit.move", (doc) => moveNodes(doc, spots), "canvas.nudge");
}

function place(label: "canvas.edit.align" | "canvas.edit.tidy", spots: Spots): void {
  if (Object.keys(spots).length > 0) useDocument.getState().edit(label, (doc) => moveNodes(doc, spots));
}

/** Let the server lay out the selected nodes, or all of them; they glide to their places. */
export async function tidy(): Promise<void> {
  const chosen = selectedNodes();
  const only = chosen.length > 1 ? chosen : undefined;
  const doc = docNow();
  const boxes = boxesOf(only ?? Object.keys(doc.nodes));
  const sizes = Object.fromEntries(
    [...boxesOf(Object.keys(doc.nodes))].map(([id, box]) => [id, [box.width, box.height]]),
  );
  const layout = await api.layout(doc, sizes as Record<string, [number, number]>, only);
  const spots: Spots = {};
  for (const [id, spot] of Object.entries(layout)) {
    if (boxes.has(id) && docNow().nodes[id] !== undefined) spots[id] = [Math.round(spot[0]), Math.round(spot[1])];
  }
  if (motion() && Object.keys(spots).length <= 300) await glide(boxes, spots);
  place("canvas.edit.tidy", spots);
  useCanvas.setState({ moving: null });
  if (only === undefined) showRect(around(sceneNow().boxes.values()));
}

const GLIDE_TIME = 220;

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
  const whole = around(boxesOf(selectedNodes()).values());
  const middle = graphPoint(stageMiddle());
  const spot: [number, number, number, number] =
    whole === null
      ? [middle.x - 200, middle.y - 140, 400, 280]
      : [
          whole.x - FRAME_MARGIN.side,
          whole.y - FRAME_MARGIN.top,
          whole.width + 2 * FRAME_MARGIN.side,
          whole.height + FRAME_MARGIN.top + FRAME_MARGIN.side,
        ];
  let made: string | null = null;
  useDocument.getState().edit("canvas.edit.frame", (doc) => {
    const added = addFrame(doc, { title: t("canvas.frame.title"), spot: spot.map(Math.round) as typeof spot });
    made = added.id;
    return added.doc;
  });
  if (made !== null) useCanvas.setState({ selectedFrame: made, renaming: { frame: made } });
}
