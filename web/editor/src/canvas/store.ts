import { create } from "zustand";
import type { GraphDocument, Port } from "../graph/document";
import type { Link, Refusal } from "../graph/links";
import type { MenuEntry } from "./Menu";
import type { Point, Rect } from "./rect";
import type { Distance } from "./view";

/** A link that is being made: it hangs on one port, and nothing is changed before it is let go. */
export interface Pending {
  from: Port;
  side: "in" | "out";
  /** The link that was pulled off its input, if it began so. */
  taken: Link | null;
  /** The graph without that link: what fits is decided in it. */
  base: GraphDocument;
}

/** What a pending link is over. */
export interface Target {
  node: string;
  port: Port | null;
  /** Why it cannot be dropped there; null where it can. */
  refusal: Refusal | null;
}

/** A menu that is open, at a place of the window. */
export interface OpenMenu {
  at: Point;
  label: string;
  entries: MenuEntry[];
}

/** Places that differ from the document's while something is dragged or moved by the tidy command. */
export interface Moving {
  nodes: Record<string, [number, number]>;
  frames: Record<string, [number, number, number, number]>;
  sizes: Record<string, [number, number]>;
}

/** What the canvas alone knows. Nothing of it is saved. */
interface CanvasStore {
  distance: Distance;
  pending: Pending | null;
  /** Where the pending link's loose end is, in the window. */
  pointer: Point;
  target: Target | null;
  moving: Moving | null;
  /** The rectangle that is being drawn to select what lies in it, in the graph. */
  box: Rect | null;
  /** Ids of the selected links. */
  links: ReadonlySet<string>;
  hoveredLink: string | null;
  selectedFrame: string | null;
  menu: OpenMenu | null;
  /** The node whose name, or the frame whose title, is being written. */
  renaming: { node: string } | { frame: string } | null;
  /** Whether the palette lists ports of this graph beside node types. */
  paletteLinks: boolean;
  /** The last thing told to screen readers. */
  said: string;
}

export const NO_LINKS: ReadonlySet<string> = new Set();

export const useCanvas = create<CanvasStore>(() => ({
  distance: "near",
  pending: null,
  pointer: { x: 0, y: 0 },
  target: null,
  moving: null,
  box: null,
  links: NO_LINKS,
  hoveredLink: null,
  selectedFrame: null,
  menu: null,
  renaming: null,
  paletteLinks: false,
  said: "",
}));

/** Tell screen readers; the same words twice are told twice. */
export function say(text: string): void {
  useCanvas.setState(({ said }) => ({ said: said === text ? `${text}\u00a0` : text }));
}
