import { type Edge, type Node, type NodeHandle, Position } from "@xyflow/react";
import { type Catalog, inputOf, outputOf, typeOf } from "../graph/catalog";
import type { GraphDocument, GraphNode, Port } from "../graph/document";
import { measure, type NodeBox, portPoint } from "../graph/geometry";
import { linkedInputs, linkId, linksOf } from "../graph/links";
import { type Looks, messageRows, type NodeLook } from "./looks";
import type { Point, Rect } from "./rect";
import type { Moving } from "./store";

/** A node's place and size on the canvas, and what is inside it. */
export interface Placed extends Rect {
  box: NodeBox;
}

export type Boxes = ReadonlyMap<string, Placed>;

/** The graph as it is drawn. What has not changed is the same object as before, so that nothing is drawn twice. */
export interface Scene {
  boxes: Boxes;
  nodes: Node[];
  links: Edge[];
}

/** Half the side of the square around a port that the pointer can grasp. */
export const PORT_REACH = 10;

const NOTHING = {};
// Without a z-index of its own here, canvas.css can lift what is selected.
const FLOW_STYLE = { pointerEvents: "all", zIndex: undefined } as const;
// React Flow calls its wrapper a "node" for screen readers; our own element inside it has the name and the role.
const FLOW_ATTRIBUTES = { "aria-roledescription": undefined } as const;
// Links are told by the ports that they hang on.
const LINK_ATTRIBUTES = { "aria-hidden": true, "aria-roledescription": undefined, "aria-label": undefined } as const;
const FALLBACK_COLUMNS = 5;

interface Kept {
  node: GraphNode;
  type: unknown;
  spot: readonly number[] | undefined;
  look: NodeLook | undefined;
  moved: readonly number[] | undefined;
  resized: readonly number[] | undefined;
  strays: string;
  placed: Placed;
  flow: Node;
}

type Inputs = Omit<Kept, "placed" | "flow">;

/** A function that makes scenes and remembers the last one, to reuse what stayed the same. */
export function sceneKeeper(): (doc: GraphDocument, types: Catalog, looks: Looks, moving: Moving | null) => Scene {
  let kept = new Map<string, Kept>();
  let edges = new Map<string, Edge>();
  let last: { doc: GraphDocument; types: Catalog; looks: Looks; moving: Moving | null; scene: Scene } | null = null;

  return (doc, types, looks, moving) => {
    if (last !== null && last.doc === doc && last.types === types && last.looks === looks && last.moving === moving) {
      return last.scene;
    }
    const before = last?.scene;
    const strays = straysOf(doc, types);
    const next = new Map<string, Kept>();
    let index = 0;
    for (const [id, node] of Object.entries(doc.nodes)) {
      const inputs = {
        node,
        type: typeOf(types, node.type),
        spot: doc.layout?.[id] ?? fallbackSpot(kept.get(id), index),
        look: looks[id],
        moved: moving?.nodes[id],
        resized: moving?.sizes[id],
        strays: strays.get(id) ?? "",
      };
      next.set(id, keep(kept.get(id), id, inputs, types, doc));
      index += 1;
    }
    const sameNodes = before !== undefined && sameValues(kept, next);
    kept = next;
    edges = nextEdges(edges, doc);
    const links = [...edges.values()];
    const sameLinks = before !== undefined && sameList(before.links, links);
    const scene: Scene =
      sameNodes && sameLinks
        ? before
        : {
            boxes: sameNodes ? before.boxes : new Map([...next].map(([id, item]) => [id, item.placed])),
            nodes: sameNodes ? before.nodes : [...next.values()].map((item) => item.flow),
            links: sameLinks ? before.links : links,
          };
    last = { doc, types, looks, moving, scene };
    return scene;
  };
}

/** Where a node goes that the document gives no place: in rows, in the document's order. */
function fallbackSpot(before: Kept | undefined, index: number): readonly number[] {
  const spot = [(index % FALLBACK_COLUMNS) * 320, Math.floor(index / FALLBACK_COLUMNS) * 340];
  return before?.spot?.length === 2 && before.spot[0] === spot[0] && before.spot[1] === spot[1] ? before.spot : spot;
}

function keep(before: Kept | undefined, id: string, now: Inputs, types: Catalog, doc: GraphDocument): Kept {
  if (
    before !== undefined &&
    before.node === now.node &&
    before.type === now.type &&
    before.spot === now.spot &&
    before.look === now.look &&
    before.moved === now.moved &&
    before.resized === now.resized &&
    before.strays === now.strays
  ) {
    return before;
  }
  const [x = 0, y = 0] = now.moved ?? now.spot ?? [];
  const box =
    before !== undefined && sameMeasures(before, now)
      ? before.placed.box
      : measured(id, now, types, doc, before?.placed.box);
  const placed = { x, y, width: box.width, height: box.height, box };
  const flow =
    before !== undefined &&
    sameBox(before.placed, placed) &&
    before.node.type === now.node.type &&
    before.strays === now.strays
      ? before.flow
      : flowNode(id, now.node.type, placed, now.strays);
  return { ...now, placed, flow };
}

function sameMeasures(before: Kept, now: Inputs): boolean {
  return (
    before.node === now.node &&
    before.type === now.type &&
    before.look === now.look &&
    before.resized === now.resized &&
    before.spot?.[2] === now.spot?.[2] &&
    before.spot?.[3] === now.spot?.[3]
  );
}

function measured(id: string, now: Inputs, types: Catalog, doc: GraphDocument, before: NodeBox | undefined): NodeBox {
  const { look, resized, spot } = now;
  const size = resized === undefined ? spot : [spot?.[0] ?? 0, spot?.[1] ?? 0, ...resized];
  const box = measure(now.node, typeOf(types, now.node.type), size, {
    linked: linkedInputs(doc, id),
    ...(look?.ratio ? { pictureRatio: look.ratio } : {}),
    ...(look !== undefined && messageRows(look) > 0 ? { messages: messageRows(look) } : {}),
  });
  // A value that was typed changes no size: the rows stay the same objects, and only its widget is drawn again.
  return before !== undefined && JSON.stringify(before) === JSON.stringify(box) ? before : box;
}

/** The ends of links at ports that a node does not have, as "in port" and "out port", by node. They are drawn too. */
function straysOf(doc: GraphDocument, types: Catalog): Map<string, string> {
  const strays = new Map<string, string>();
  const add = (node: string, end: string) => strays.set(node, `${strays.get(node) ?? ""}${end}\n`);
  for (const { from, to } of linksOf(doc)) {
    if (outputOf(typeOf(types, doc.nodes[from.node]?.type ?? ""), from.port) === undefined)
      add(from.node, `out ${from.port}`);
    if (inputOf(typeOf(types, doc.nodes[to.node]?.type ?? ""), to.port) === undefined) add(to.node, `in ${to.port}`);
  }
  return strays;
}

function flowNode(id: string, type: string, placed: Placed, strays: string): Node {
  const { width, height, box } = placed;
  return {
    id,
    type: type === "Note" ? "note" : type === "Reroute" ? "reroute" : "node",
    position: { x: placed.x, y: placed.y },
    width,
    height,
    measured: { width, height },
    handles: [
      ...Object.entries(box.ports.inputs).map(([name, at]) => handle("target", name, at)),
      ...Object.entries(box.ports.outputs).map(([name, at]) => handle("source", name, at)),
      ...strayEnds(strays).map(([side, name]) =>
        handle(side === "in" ? "target" : "source", name, portPoint(box, side, name)),
      ),
    ],
    data: NOTHING,
    className: "nopan",
    style: FLOW_STYLE as NonNullable<Node["style"]>,
    domAttributes: FLOW_ATTRIBUTES as NonNullable<Node["domAttributes"]>,
  };
}

/** What `straysOf` has written for a node: side and port. */
export function strayEnds(strays: string): ["in" | "out", string][] {
  return [...new Set(strays.split("\n"))]
    .filter((end) => end !== "")
    .map((end) => (end.startsWith("in ") ? ["in", end.slice(3)] : ["out", end.slice(4)]));
}

function handle(type: "source" | "target", id: string, at: Point): NodeHandle {
  return {
    id,
    type,
    position: type === "source" ? Position.Right : Position.Left,
    x: at.x - PORT_REACH,
    y: at.y - PORT_REACH,
    width: 2 * PORT_REACH,
    height: 2 * PORT_REACH,
  };
}

/** A link from a node that is not there has nowhere to begin, and is not drawn; the plan tells of it. */
function nextEdges(before: Map<string, Edge>, doc: GraphDocument): Map<string, Edge> {
  const next = new Map<string, Edge>();
  for (const link of linksOf(doc)) {
    if (doc.nodes[link.from.node] === undefined) continue;
    const id = linkId(link);
    const known = before.get(id);
    next.set(
      id,
      known ?? {
        id,
        type: "link",
        source: link.from.node,
        sourceHandle: link.from.port,
        target: link.to.node,
        targetHandle: link.to.port,
        data: { link },
        ariaRole: "presentation",
        domAttributes: LINK_ATTRIBUTES as NonNullable<Edge["domAttributes"]>,
      },
    );
  }
  return next;
}

/** Where a port is on the canvas; null for a node that is not there. */
export function portAt(boxes: Boxes, port: Port, side: "in" | "out"): Point | null {
  const placed = boxes.get(port.node);
  if (placed === undefined) return null;
  const at = portPoint(placed.box, side, port.port);
  return { x: placed.x + at.x, y: placed.y + at.y };
}

function sameBox(a: Placed, b: Placed): boolean {
  return (
    a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height && samePorts(a.box.ports, b.box.ports)
  );
}

function samePorts(a: NodeBox["ports"], b: NodeBox["ports"]): boolean {
  return samePoints(a.inputs, b.inputs) && samePoints(a.outputs, b.outputs);
}

function samePoints(a: Record<string, Point>, b: Record<string, Point>): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => a[name]?.x === b[name]?.x && a[name]?.y === b[name]?.y)
  );
}

function sameValues(a: Map<string, Kept>, b: Map<string, Kept>): boolean {
  if (a.size !== b.size) return false;
  const ids = b.keys();
  for (const [id, item] of a) {
    if (ids.next().value !== id || b.get(id) !== item) return false;
  }
  return true;
}

function sameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
