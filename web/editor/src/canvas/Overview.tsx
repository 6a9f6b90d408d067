import { useStoreApi } from "@xyflow/react";
import { useEffect, useRef } from "react";
import { useCatalog } from "../state/catalog";
import { useDocument } from "../state/document";
import { usePlan } from "../state/plan";
import { usePreferences } from "../state/preferences";
import { useRuns } from "../state/runs";
import { useUi } from "../state/ui";
import { useLooks } from "./looks";
import { sceneNow } from "./now";
import { coloursOf, paint, type Shown } from "./overview";
import { useCanvas } from "./store";

/** The whole graph as one picture, for when its nodes are too small to be read. */
export function Overview() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const flow = useStoreApi();

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context) return;
    let frame = 0;
    let colours = coloursOf(element);
    const draw = () => {
      frame = 0;
      const { transform, width, height } = flow.getState();
      const ratio = window.devicePixelRatio;
      if (element.width !== Math.round(width * ratio) || element.height !== Math.round(height * ratio)) {
        element.width = Math.round(width * ratio);
        element.height = Math.round(height * ratio);
      }
      paint(
        context,
        shownNow(),
        { x: transform[0], y: transform[1], zoom: transform[2] },
        { width, height },
        colours,
        ratio,
      );
    };
    const later = () => {
      frame ||= requestAnimationFrame(draw);
    };
    const recolour = () => {
      colours = coloursOf(element);
      later();
    };
    draw();
    const stores = [useDocument, useLooks, useRuns, usePlan];
    const theme = new MutationObserver(recolour);
    theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const stops = [
      ...stores.map((store) => store.subscribe(later)),
      flow.subscribe(later),
      usePreferences.subscribe(recolour),
      useUi.subscribe(({ selection }, before) => selection !== before.selection && later()),
      useCanvas.subscribe(({ moving }, before) => moving !== before.moving && later()),
      () => theme.disconnect(),
      () => cancelAnimationFrame(frame),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, [flow]);

  return (
    <div className="overview" aria-hidden="true">
      <canvas ref={canvas} />
    </div>
  );
}

/** What is painted now. */
export function shownNow(): Shown {
  return {
    scene: sceneNow(),
    doc: useDocument.getState().document,
    types: useCatalog.getState().types,
    runs: useRuns.getState().nodes,
    problems: usePlan.getState().ofNode,
    selection: useUi.getState().selection,
  };
}
