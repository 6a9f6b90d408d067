import type { Json } from "../graph/catalog";
import { addNode, connect, type GraphDocument, type Port, setInput } from "../graph/document";
import { SIZES } from "../graph/geometry";
import type { Link, Refusal } from "../graph/links";
import { portPath, writeLink } from "../graph/names";
import { useCatalog } from "../state/catalog";
import { useDocument } from "../state/document";
import { useUi } from "../state/ui";
import { t } from "../text/text";
import { docNow, knownNow, removeLinks, removeLinksAt } from "./actions";
import { follow } from "./gesture";
import { sceneNow } from "./now";
import type { Point } from "./rect";
import { portAt } from "./scene";
import { graphPoint, stageNow, windowPoint } from "./stage";
import { type Pending, say, useCanvas } from "./store";
import { begin, dropped, targetAt } from "./wire";

type Side = "in" | "out";

type PointerDown = Pick<PointerEvent, "clientX" | "clientY" | "pointerId" | "altKey">;

/** A refusal as a sentence, from the side of the port that refuses. */
export function refusalText({ reason, wanted, given, at }: Refusal): string {
  if (at !== undefined) return t("canvas.refusal.at", { port: portPath(at), wanted, given });
  if (reason === "type" || reason === "kind") return t("canvas.refusal.type", { wanted, given });
  if (reason === "circle") return t("canvas.refusal.circle");
  return t(reason === "direction" ? "canvas.refusal.direction" : "canvas.refusal.unknown");
}

/** The pointer went down on a port: drag a link from it, or, where it does not move, offer what it can be linked to. */
export function linkFromPort(event: PointerDown, port: Port, side: Side): void {
  if (event.altKey) {
    removeLinksAt(port, side);
    return;
  }
  let pending: Pending | null = null;
  follow(event, {
    start: () => {
      pending = begin(docNow(), port, side);
      useCanvas.setState({ pending, target: null, pointer: { x: event.clientX, y: event.clientY } });
    },
    move: (at) => pending !== null && moveLink(pending, at),
    end: (at, _up, moved) => {
      const done = pending;
      stopLinking();
      if (moved && done !== null) drop(done, at);
      else offerLinks(port, side);
    },
    cancel: stopLinking,
  });
}

function moveLink(pending: Pending, pointer: Point): void {
  const zoom = stageNow()?.view().zoom ?? 1;
  const target = targetAt(pending, knownNow(), sceneNow().boxes, graphPoint(pointer), zoom);
  useCanvas.setState({ pointer, target });
}

function stopLinking(): void {
  useCanvas.setState({ pending: null, target: null });
}

/** Let a link go. Over nothing one that was pulled off is taken away, and a new one asks for a new node. */
function drop(pending: Pending, pointer: Point): void {
  const zoom = stageNow()?.view().zoom ?? 1;
  const target = targetAt(pending, knownNow(), sceneNow().boxes, graphPoint(pointer), zoom);
  const { types } = useCatalog.getState();
  if (target === null) {
    if (pending.taken !== null) removeLinks([pending.taken]);
    else useUi.getState().openPalette({ at: pointer, from: { port: pending.from, side: pending.side } });
  } else if (target.port !== null && target.refusal === null) {
    const { port } = target;
    useDocument.getState().edit("canvas.edit.link", (doc) => dropped(doc, types, pending, port));
  } else if (target.refusal !== null) {
    say(refusalText(target.refusal));
  }
}

/** Offer the ports of this graph that a port can be linked to, and new nodes. */
export function offerLinks(port: Port, side: Side): void {
  const at = portAt(sceneNow().boxes, port, side);
  const { x, y } = windowPoint(at ?? { x: 0, y: 0 });
  useCanvas.setState({ paletteLinks: true });
  useUi.getState().openPalette({ at: { x: x + 16, y }, from: { port, side } });
}

/** Put a reroute into a link, at a place of the window. */
export function reroute(link: Link, at: Point): void {
  const { types } = useCatalog.getState();
  const spec = types.Reroute;
  const input = spec?.inputs[0]?.name;
  const output = spec?.outputs[0]?.name;
  if (spec === undefined || input === undefined || output === undefined) return;
  const { x, y } = graphPoint(at);
  useDocument.getState().edit("canvas.edit.reroute", (doc) => {
    const added = addNode(doc, spec, [Math.round(x - SIZES.rerouteWidth / 2), Math.round(y - SIZES.rerouteHeight / 2)]);
    const entered = connect(added.doc, types, link.from, { node: added.id, port: input });
    return setInput(entered, link.to, through(entered, link, { node: added.id, port: output }));
  });
}

/** An input's value with a link in it replaced by another one. */
function through(doc: GraphDocument, { to, item }: Link, from: Port): Json {
  const value = doc.nodes[to.node]?.inputs?.[to.port];
  const link = writeLink(from);
  return item !== null && Array.isArray(value) ? value.map((part, index) => (index === item ? link : part)) : link;
}
