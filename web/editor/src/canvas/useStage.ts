import { type ReactFlowInstance, useReactFlow, useStoreApi } from "@xyflow/react";
import { type RefObject, useEffect, useRef } from "react";
import { copyText } from "../graph/clipboard";
import { chordOf, isTextField } from "../keys";
import { useRuns } from "../state/runs";
import { t } from "../text/text";
import { docNow, removeSelected, selectedNodes } from "./actions";
import { bringFiles, bringText } from "./bring";
import { registerCanvasCommands } from "./canvasCommands";
import { keepClip } from "./clip";
import { pointerOrMiddle, rememberPointer } from "./lastPointer";
import { followRuns } from "./looks";
import { motion, setStage, stageNow } from "./stage";
import { say } from "./store";
import { distanceAt, isNotch, type View, zoomed } from "./view";

const TRAVEL_TIME = 180;
const NOTCH = 0.0016;

type Element = RefObject<HTMLDivElement | null>;

/** Let commands and gestures know this canvas while it is shown. */
export function useStageRegistration(element: Element): void {
  const flow = useReactFlow();
  const store = useStoreApi();
  useEffect(() => {
    const shown = element.current;
    if (shown === null) return;
    setStage({
      element: shown,
      view: () => flow.getViewport(),
      show: (view, animate) => show(flow, store, view, animate && motion()),
    });
    const stops = [registerCanvasCommands(), followRuns(), tellRunEnds(), () => setStage(null)];
    return () => {
      for (const stop of stops) stop();
    };
  }, [flow, store, element]);
}

/**
 * Look elsewhere. Nodes come and go where the distance changes, so that is never animated; and where they go, they go
 * before the view changes: React Flow would first draw every node that the new view holds.
 */
function show(flow: ReactFlowInstance, store: ReturnType<typeof useStoreApi>, view: View, animate: boolean): void {
  const from = distanceAt(flow.getZoom());
  const to = distanceAt(view.zoom);
  if (from !== to && to === "overview") {
    store.getState().setNodes([]);
    store.getState().setEdges([]);
  }
  void flow.setViewport(view, animate && from === to ? { duration: TRAVEL_TIME } : {});
}

/** Wheels with notches zoom; the space bar is told to the gestures; the pointer's place is remembered. */
export function useStageInput(element: Element): RefObject<boolean> {
  const space = useRef(false);
  useEffect(() => {
    const shown = element.current;
    if (shown === null) return;
    const stop = new AbortController();
    const { signal } = stop;
    shown.addEventListener("wheel", (event) => onWheel(event, shown), { signal, capture: true, passive: false });
    shown.addEventListener("pointermove", (event) => rememberPointer({ x: event.clientX, y: event.clientY }), {
      signal,
    });
    shown.addEventListener("pointerleave", () => rememberPointer(null), { signal });
    const hold = (event: KeyboardEvent) => {
      const own = event.target instanceof HTMLElement && event.target.matches("button, a, input, textarea, select");
      if (event.key !== " " || own) return;
      space.current = event.type === "keydown";
      shown.classList.toggle("is-panning", space.current);
      if (event.type === "keydown" && shown.contains(document.activeElement)) event.preventDefault();
    };
    window.addEventListener("keydown", hold, { signal });
    window.addEventListener("keyup", hold, { signal });
    // The skip link and a closed dialog give the focus to what surrounds the canvas; its keys begin here.
    shown.closest("main")?.addEventListener("focus", () => shown.focus({ preventScroll: true }), { signal });
    return () => stop.abort();
  }, [element]);
  return space;
}

function onWheel(event: WheelEvent, shown: HTMLElement): void {
  const { target } = event;
  if (!(target instanceof HTMLElement || target instanceof SVGElement)) return;
  if (target.closest(".palette, .menu, textarea:focus, .nowheel:focus-within") !== null) {
    event.stopPropagation();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.shiftKey || !isNotch(event)) return;
  event.preventDefault();
  event.stopPropagation();
  const corner = shown.getBoundingClientRect();
  const turn = event.deltaMode === 0 ? event.deltaY : Math.sign(event.deltaY) * 120;
  const point = { x: event.clientX - corner.left, y: event.clientY - corner.top };
  const stage = stageNow();
  stage?.show(zoomed(stage.view(), point, Math.exp(-Math.max(-240, Math.min(turn, 240)) * NOTCH)), false);
}

/** Copy, cut and paste as the browser means them: without asking, and also where a page cannot read the clipboard. */
export function useClipboard(): void {
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    const mine = () => {
      const focus = document.activeElement;
      const dialog = document.querySelector("dialog[open], [aria-modal='true']") !== null;
      return (
        !dialog && !isTextField(focus) && (focus === document.body || focus?.closest("[data-keys='canvas']") != null)
      );
    };
    // The commands show these keys; what they do is left to the browser's own events.
    const leave = (event: KeyboardEvent) => {
      if (mine() && ["mod+c", "mod+x", "mod+v"].includes(chordOf(event) ?? "")) event.stopPropagation();
    };
    const copy = (event: ClipboardEvent) => {
      const ids = selectedNodes();
      if (!mine() || ids.length === 0 || String(getSelection() ?? "") !== "") return;
      const text = copyText(docNow(), ids);
      event.clipboardData?.setData("text/plain", text);
      keepClip(text);
      event.preventDefault();
      if (event.type === "cut") removeSelected();
      else say(t("canvas.said.copied", { count: ids.length }));
    };
    const paste = (event: ClipboardEvent) => {
      if (!mine() || event.defaultPrevented) return;
      event.preventDefault();
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length > 0) void bringFiles(files, pointerOrMiddle());
      else bringText(event.clipboardData?.getData("text/plain") ?? "", pointerOrMiddle());
    };
    window.addEventListener("keydown", leave, { signal, capture: true });
    document.addEventListener("copy", copy, { signal });
    document.addEventListener("cut", copy, { signal });
    document.addEventListener("paste", paste, { signal });
    return () => stop.abort();
  }, []);
}

/** Tell screen readers how a run ended. */
function tellRunEnds(): () => void {
  return useRuns.subscribe(({ runs, shown }, before) => {
    if (shown === null || runs === before.runs) return;
    const state = runs[shown]?.state;
    const was = before.runs[shown]?.state;
    if (state === was || was === undefined) return;
    if (state === "done" || state === "failed" || state === "cancelled") say(t(`canvas.said.${state}`));
  });
}
