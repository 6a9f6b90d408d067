import { type Catalog, outputOf, typeOf } from "../graph/catalog";
import type { GraphDocument } from "../graph/document";
import { SIZES } from "../graph/geometry";
import type { Trouble } from "../state/api";
import type { NodeRun } from "../state/runs";
import { bendOf } from "./curve";
import { between, overlaps, type Point, type Rect } from "./rect";
import { type Boxes, portAt, type Scene } from "./scene";
import { TONES, type Tone, toneOf } from "./tone";
import { seen, type View } from "./view";

/** The colours of the overview, as the theme has them. */
export interface Colours {
  surface: string;
  line: string;
  text: string;
  accent: string;
  danger: string;
  ok: string;
  note: string;
  /** By family of types. */
  tones: Record<Tone, string>;
}

/** The colours that a box can have. */
type Colour = Exclude<keyof Colours, "tones">;

/** What the overview shows of a graph. */
export interface Shown {
  scene: Scene;
  doc: GraphDocument;
  types: Catalog;
  runs: Readonly<Record<string, NodeRun>>;
  problems: Readonly<Record<string, readonly Trouble[]>>;
  selection: ReadonlySet<string>;
}

/** How one node is painted: a filled box, its border, and how faint it is. */
export interface Paint {
  fill: Colour;
  border: Colour;
  width: number;
  alpha: number;
}

/** Titles are painted where a node is at least so many pixels wide. */
const TITLE_WIDTH = 46;

/** How a node is painted: what went wrong before what is selected before what runs. */
export function paintOf(id: string, { doc, runs, problems, selection }: Omit<Shown, "scene">): Paint {
  const node = doc.nodes[id];
  const run = runs[id]?.state;
  const wrong = run === "failed" || (problems[id]?.length ?? 0) > 0;
  const border = selection.has(id) || run === "running" ? "accent" : wrong ? "danger" : run === "done" ? "ok" : "line";
  return {
    fill: run === "running" ? "accent" : wrong ? "danger" : node?.type === "Note" ? "note" : "surface",
    border,
    width: border === "line" ? 1 : 2,
    alpha: node?.state === undefined ? 1 : 0.4,
  };
}

/** A link as the points that its curve needs. */
export interface Line {
  from: Point;
  to: Point;
  tone: Tone;
}

/** The links of which anything can be seen. */
export function linesIn({ scene, doc, types }: Pick<Shown, "scene" | "doc" | "types">, part: Rect): Line[] {
  return scene.links.flatMap((link) => {
    const port = link.sourceHandle ?? "";
    const from = portAt(scene.boxes, { node: link.source, port }, "out");
    const to = portAt(scene.boxes, { node: link.target, port: link.targetHandle ?? "" }, "in");
    if (from === null || to === null) return [];
    const whole = between(from, to);
    if (!overlaps({ ...whole, width: whole.width + 1, height: whole.height + 1 }, part)) return [];
    return [
      { from, to, tone: toneOf(outputOf(typeOf(types, doc.nodes[link.source]?.type ?? ""), port)?.type ?? null) },
    ];
  });
}

/** The nodes of which anything can be seen. */
export function boxesIn(boxes: Boxes, part: Rect): [string, Rect][] {
  return [...boxes].filter(([, box]) => overlaps(box, part));
}

/** Paint the graph as boxes and lines. The context is in the screen's pixels, `ratio` of them for one of CSS. */
export function paint(
  context: CanvasRenderingContext2D,
  shown: Shown,
  view: View,
  size: { width: number; height: number },
  colours: Colours,
  ratio: number,
): void {
  const part = seen(view, size);
  const { zoom } = view;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, size.width, size.height);
  context.setTransform(ratio * zoom, 0, 0, ratio * zoom, ratio * view.x, ratio * view.y);
  context.lineWidth = 1.5 / zoom;
  context.globalAlpha = 0.75;
  paintLines(context, linesIn(shown, part), colours);
  const boxes = boxesIn(shown.scene.boxes, part);
  for (const [id, box] of boxes) paintBox(context, box, paintOf(id, shown), colours, zoom);
  paintHeaders(context, shown, boxes, colours);
  context.globalAlpha = 1;
  paintTitles(context, boxes, colours, zoom);
}

/** One path for each colour: a path for each link would take many times as long. */
function paintLines(context: CanvasRenderingContext2D, lines: readonly Line[], colours: Colours): void {
  for (const tone of new Set(lines.map((line) => line.tone))) {
    context.strokeStyle = colours.tones[tone];
    context.beginPath();
    for (const { from, to } of lines.filter((line) => line.tone === tone)) {
      const bend = bendOf(from, to);
      context.moveTo(from.x, from.y);
      context.bezierCurveTo(from.x + bend, from.y, to.x - bend, to.y, to.x, to.y);
    }
    context.stroke();
  }
}

/** The upper edge of each node has the colour of what the node gives. */
function paintHeaders(
  context: CanvasRenderingContext2D,
  { doc, types }: Shown,
  boxes: [string, Rect][],
  colours: Colours,
): void {
  context.globalAlpha = 0.8;
  for (const [id, box] of boxes) {
    const [output] = typeOf(types, doc.nodes[id]?.type ?? "")?.outputs ?? [];
    if (output === undefined) continue;
    context.fillStyle = colours.tones[toneOf(output.type)];
    context.fillRect(box.x, box.y, box.width, SIZES.header / 3);
  }
}

function paintBox(context: CanvasRenderingContext2D, box: Rect, look: Paint, colours: Colours, zoom: number): void {
  context.globalAlpha = look.alpha;
  context.fillStyle = colours[look.fill];
  context.fillRect(box.x, box.y, box.width, box.height);
  context.lineWidth = look.width / zoom;
  context.strokeStyle = colours[look.border];
  context.strokeRect(box.x, box.y, box.width, box.height);
}

function paintTitles(context: CanvasRenderingContext2D, boxes: [string, Rect][], colours: Colours, zoom: number): void {
  const wide = boxes.filter(([, box]) => box.width * zoom >= TITLE_WIDTH && box.height * zoom >= 16);
  if (wide.length === 0) return;
  context.fillStyle = colours.text;
  context.font = `${10.5 / zoom}px ${getComputedStyle(context.canvas).fontFamily}`;
  context.textBaseline = "top";
  for (const [id, box] of wide) {
    const letters = Math.floor((box.width * zoom - 8) / 6);
    context.fillText(
      id.length > letters ? `${id.slice(0, letters - 1)}…` : id,
      box.x + 4 / zoom,
      box.y + SIZES.header / 3 + 3 / zoom,
    );
  }
}

/** The colours of the theme that is shown. */
export function coloursOf(element: Element): Colours {
  const style = getComputedStyle(element);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return {
    surface: read("--surface-3"),
    line: read("--line-2"),
    text: read("--text"),
    accent: read("--accent"),
    danger: read("--danger"),
    ok: read("--ok"),
    note: read("--warn-soft"),
    tones: Object.fromEntries(TONES.map((tone) => [tone, read(`--type-${tone}`)])) as Record<Tone, string>,
  };
}
