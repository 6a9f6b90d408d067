import { typeOf } from "../graph/catalog";
import { copyText, pasteText } from "../graph/clipboard";
import {
  addNode,
  connect,
  disconnect,
  type GraphDocument,
  type NodeState,
  type Port,
  removeAndHeal,
  removeFrame,
  removeNodes,
  setNodeState,
} from "../graph/document";
import { measure, SIZES } from "../graph/geometry";
import { type Link, linkId, linksOf } from "../graph/links";
import { useCatalog } from "../state/catalog";
import { useDocument } from "../state/document";
import { useUi } from "../state/ui";
import { t } from "../text/text";
import { sceneNow } from "./now";
import { around, overlaps, type Point, type Rect } from "./rect";
import { graphPoint, reveal, stageMiddle } from "./stage";
import { NO_LINKS, say, useCanvas } from "./store";
import { type Known, linksFrom, linksInto } from "./wire";

const COPY_OFFSET = 32;
const NEW_GAP = 80;

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

/** Give the keyboard to a port that is drawn. */
export function focusPort({ node, port }: Port, side: "in" | "out"): void {
  const at = `[data-of="${CSS.escape(node)}"][data-port="${CSS.escape(port)}"][data-side="${side}"]`;
  document.querySelector<HTMLElement>(at)?.focus({ preventScroll: true });
}

/** The link that a new node is to have: the port of this graph, its side, and the new node's port. */
export interface Wire {
  from: Port;
  side: "in" | "out";
  port: string;
}

/**
 * Add a node, linked to a port at once where it hangs on one. It goes to a place of the window, or, where nobody has
 * pointed at one, beside the node that it is linked to, clear of all others. Returns its id.
 */
export function addNodeHere(type: string, at: Point | null, wire?: Wire): string | null {
  const { types } = useCatalog.getState();
  const spec = typeOf(types, type);
  if (spec === undefined) return null;
  const { width, height } = measure({ type }, spec, undefined, { linked: new Set() });
  const { x, y } = at === null ? clearSpot({ width, height }, wire) : pointed(at, width, wire);
  let made: string | null = null;
  useDocument.getState().edit("canvas.edit.add", (doc) => {
    const added = addNode(doc, spec, [Math.round(x), Math.round(y)]);
    made = added.id;
    if (wire === undefined) return added.doc;
    const port = { node: added.id, port: wire.port };
    return wire.side === "out"
      ? connect(added.doc, types, wire.from, port)
      : connect(added.doc, types, port, wire.from);
  });
  if (made !== null) selectNodes([made], true);
  return made;
}

/** The pointer is at the new node's header: at its left side, or at its right one where it gives to what waits. */
function pointed(at: Point, width: number, wire?: Wire): Point {
  const { x, y } = graphPoint(at);
  return { x: wire?.side === "in" ? x - width : x, y: y - SIZES.header / 2 };
}

/** Beside the node that is linked, else in the middle of what is seen; moved down until it covers nothing. */
function clearSpot(size: { width: number; height: number }, wire?: Wire): Point {
  const { boxes } = sceneNow();
  const beside = wire && boxes.get(wire.from.node);
  const middle = graphPoint(stageMiddle());
  const spot: Rect = {
    ...size,
    x:
      beside === undefined
        ? middle.x - size.width / 2
        : wire?.side === "in"
          ? beside.x - NEW_GAP - size.width
          : beside.x + beside.width + NEW_GAP,
    y: beside === undefined ? middle.y - size.height / 2 : beside.y,
  };
  for (let covered = coveredBy(spot, boxes); covered !== undefined; covered = coveredBy(spot, boxes)) {
    spot.y = covered.y + covered.height + COPY_OFFSET;
  }
  return spot;
}

function coveredBy(spot: Rect, boxes: ReadonlyMap<string, Rect>): Rect | undefined {
  return [...boxes.values()].find((box) => overlaps(box, spot));
}

/** Link two ports. Returns whether it could be done; a refusal is told. */
export function link(from: Port, to: Port): boolean {
  const { types } = useCatalog.getState();
  return useDocument.getState().edit("canvas.edit.link", (doc) => connect(doc, types, from, to));
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
  insert(copyText(docNow(), ids), [whole.x + COPY_OFFSET, whole.y + COPY_OFFSET], true, "canvas.edit.duplicate");
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
