import type { NodeType } from "./catalog";
import type { GraphNode } from "./document";
import { hasWidget, widgetOf } from "./schema";

/** Sizes in pixels at zoom 1; canvas.css follows them. */
export const SIZES = {
  width: 240,
  minWidth: 160,
  header: 32,
  portRow: 24,
  valueRow: 28,
  textRow: 84,
  messageRow: 20,
  padding: 6,
  noteHeight: 120,
  rerouteWidth: 32,
  rerouteHeight: 20,
} as const;

/** One row of a node, from its top edge. */
export type Row =
  /** An input that takes links only (left) beside an output (right). */
  | { is: "ports"; y: number; height: number; input: string | null; output: string | null }
  /** An input with a widget; only its label where it is linked. */
  | { is: "value"; y: number; height: number; input: string; linked: boolean; multiline: boolean }
  | { is: "picture"; y: number; height: number }
  | { is: "messages"; y: number; height: number };

export interface Point {
  x: number;
  y: number;
}

/** A node's size, rows and port positions, relative to its top left corner. */
export interface NodeBox {
  width: number;
  height: number;
  rows: Row[];
  ports: { inputs: Record<string, Point>; outputs: Record<string, Point> };
}

/** What a node's size depends on besides its type and values. */
export interface Look {
  /** Height over width of the picture that is shown. */
  pictureRatio?: number;
  /** Names of the inputs that are linked. */
  linked: ReadonlySet<string>;
  /** How many lines of messages are shown. */
  messages?: number;
}

/**
 * A node's size, rows and ports. `spot` is its entry in the layout; a height there that leaves room makes the picture
 * or the long texts higher.
 */
export function measure(
  node: GraphNode,
  type: NodeType | undefined,
  spot: readonly number[] | undefined,
  look: Look,
): NodeBox {
  if (node.type === "Reroute") return reroute(type);
  const width = Math.max(spot?.[2] ?? SIZES.width, SIZES.minWidth);
  if (node.type === "Note") return note(width, spot?.[3]);
  const rows = type === undefined ? unknownRows(node) : knownRows(node, type, look.linked);
  if (look.pictureRatio) rows.push({ is: "picture", y: 0, height: Math.round(width * look.pictureRatio) });
  if (look.messages) rows.push({ is: "messages", y: 0, height: look.messages * SIZES.messageRow });
  const content = rows.reduce((sum, row) => sum + row.height, SIZES.header + SIZES.padding);
  const height = Math.max(spot?.[3] ?? 0, content);
  stretch(rows, height - content);
  return { width, height, rows, ports: place(rows, width) };
}

function knownRows(node: GraphNode, type: NodeType, linked: ReadonlySet<string>): Row[] {
  const values = type.inputs.filter((port) => hasWidget(node, port));
  const flows = type.inputs.filter((port) => !values.includes(port)).map((port) => port.name);
  const rows = pairs(
    flows,
    type.outputs.map((port) => port.name),
  );
  for (const port of values) {
    const isLinked = linked.has(port.name);
    const widget = widgetOf(port);
    const multiline = !isLinked && widget.is === "text" && widget.multiline;
    const height = isLinked ? SIZES.portRow : multiline ? SIZES.textRow : SIZES.valueRow;
    rows.push({ is: "value", y: 0, height, input: port.name, linked: isLinked, multiline });
  }
  return rows;
}

/** A node whose type is not known has the inputs that its document gives it. */
function unknownRows(node: GraphNode): Row[] {
  return pairs(Object.keys(node.inputs ?? {}), []);
}

function pairs(inputs: readonly string[], outputs: readonly string[]): Row[] {
  return Array.from({ length: Math.max(inputs.length, outputs.length) }, (_, place) => ({
    is: "ports",
    y: 0,
    height: SIZES.portRow,
    input: inputs[place] ?? null,
    output: outputs[place] ?? null,
  }));
}

function stretch(rows: readonly Row[], room: number): void {
  if (room <= 0) return;
  const picture = rows.filter((row) => row.is === "picture");
  const higher = picture.length ? picture : rows.filter((row) => row.is === "value" && row.multiline);
  for (const row of higher) row.height += room / higher.length;
}

/** Puts the rows below each other; an input's port is at the middle of its first line. */
function place(rows: readonly Row[], width: number): NodeBox["ports"] {
  const inputs: [string, Point][] = [];
  const outputs: [string, Point][] = [];
  let y: number = SIZES.header;
  for (const row of rows) {
    row.y = y;
    if (row.is === "ports" || row.is === "value") {
      const middle = y + (row.is === "value" && row.multiline ? SIZES.valueRow : row.height) / 2;
      if (row.input !== null) inputs.push([row.input, { x: 0, y: middle }]);
      if (row.is === "ports" && row.output !== null) outputs.push([row.output, { x: width, y: middle }]);
    }
    y += row.height;
  }
  return { inputs: Object.fromEntries(inputs), outputs: Object.fromEntries(outputs) };
}

/** A note is its text: no header, no ports. */
function note(width: number, height: number | undefined): NodeBox {
  return { width, height: height ?? SIZES.noteHeight, rows: [], ports: { inputs: {}, outputs: {} } };
}

/** A reroute is its two ports and nothing else. */
function reroute(type: NodeType | undefined): NodeBox {
  const { rerouteWidth: width, rerouteHeight: height } = SIZES;
  const side = (name: string, x: number) => ({ [name]: { x, y: height / 2 } });
  const inputs = side(type?.inputs[0]?.name ?? "value", 0);
  const outputs = side(type?.outputs[0]?.name ?? "value", width);
  return { width, height, rows: [], ports: { inputs, outputs } };
}

/** Where a link meets a node: its port, or the middle of the header's side for a port that is not known. */
export function portPoint(box: NodeBox, side: "in" | "out", name: string): Point {
  const ports = side === "in" ? box.ports.inputs : box.ports.outputs;
  const known = Object.hasOwn(ports, name) ? ports[name] : undefined;
  return known ?? { x: side === "in" ? 0 : box.width, y: Math.min(SIZES.header, box.height) / 2 };
}
