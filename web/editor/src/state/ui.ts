import { create } from "zustand";
import type { Port } from "../graph/document";
import { EditError } from "../graph/errors";
import { type Params, type TextKey, t } from "../text/text";
import { ApiError, type Artifact, isAbort } from "./api";

export type PanelId = "node" | "queue" | "gallery" | "graphs" | "inspect" | "problems" | "keys" | "settings";

/** A short notice. It goes by itself unless it is a problem; `text` is ready to show. */
export interface Toast {
  id: number;
  kind: "info" | "ok" | "problem";
  text: string;
}

/** The add-node palette: where on the screen it is open, and the port that a new node is to be linked to. */
export interface OpenPalette {
  at: { x: number; y: number };
  from?: { port: Port; side: "in" | "out" };
}

/** Pictures shown large; with `compare` two of them under one slider. */
export interface OpenLightbox {
  items: Artifact[];
  index: number;
  compare?: Artifact;
}

/** What is open, selected and pointed at. Nothing of it is saved. */
export interface UiStore {
  selection: ReadonlySet<string>;
  panel: PanelId | null;
  palette: OpenPalette | null;
  commandsOpen: boolean;
  lightbox: OpenLightbox | null;
  inspected: Port | null;
  hovered: string | null;
  toasts: Toast[];
  /** Select these nodes; with `add` beside those that are selected. The same set stays the same object. */
  select(ids: Iterable<string>, add?: boolean): void;
  openPanel(id: PanelId | null): void;
  openPalette(palette: OpenPalette | null): void;
  openCommands(open: boolean): void;
  openLightbox(lightbox: OpenLightbox | null): void;
  /** Look at what a port gave, in the inspect panel. */
  inspect(port: Port | null): void;
  hover(id: string | null): void;
  toast(key: TextKey, params?: Params, kind?: Toast["kind"]): void;
  dismiss(id: number): void;
}

/** So long an ordinary notice is seen. */
export const TOAST_TIME = 5000;

const MOST_TOASTS = 4;
let lastToast = 0;

export const useUi = create<UiStore>((set, get) => ({
  selection: new Set(),
  panel: null,
  palette: null,
  commandsOpen: false,
  lightbox: null,
  inspected: null,
  hovered: null,
  toasts: [],
  select(ids, add = false) {
    const { selection } = get();
    const next = new Set(add ? [...selection, ...ids] : ids);
    if (next.size !== selection.size || [...next].some((id) => !selection.has(id))) {
      set({ selection: next });
    }
  },
  openPanel: (panel) => set({ panel }),
  openPalette: (palette) => set({ palette }),
  openCommands: (commandsOpen) => set({ commandsOpen }),
  openLightbox: (lightbox) => set({ lightbox }),
  inspect: (inspected) => set(inspected === null ? { inspected } : { inspected, panel: "inspect" }),
  hover: (hovered) => set({ hovered }),
  toast(key, params = {}, kind = "info") {
    const toast: Toast = { id: ++lastToast, kind, text: t(key, params) };
    const others = get().toasts.filter(({ text }) => text !== toast.text);
    set({ toasts: [...others, toast].slice(-MOST_TOASTS) });
    if (kind !== "problem") {
      setTimeout(() => get().dismiss(toast.id), TOAST_TIME);
    }
  },
  dismiss: (id) => set({ toasts: get().toasts.filter((toast) => toast.id !== id) }),
}));

/** Tell a person of an error: in our words where they are ours, in the server's where they are the server's. */
export function report(error: unknown): void {
  const { toast } = useUi.getState();
  if (error instanceof EditError) {
    toast(error.key, error.params, "problem");
  } else if (!isAbort(error)) {
    toast("toast.problem", { problem: textOf(error) }, "problem");
  }
}

/** An error as a sentence. */
export function textOf(error: unknown): string {
  if (error instanceof EditError) {
    return t(error.key, error.params);
  }
  if (error instanceof ApiError && error.status === 0) {
    return t("toast.unreachable");
  }
  return error instanceof Error ? error.message : String(error);
}
