import type { NodeBox } from "../graph/geometry";
import { inferKinds, type Kinds } from "../graph/kinds";
import { useCatalog } from "../state/catalog";
import { useDocument } from "../state/document";
import { useLooks } from "./looks";
import { around, type Rect } from "./rect";
import { type Scene, sceneKeeper } from "./scene";
import { useCanvas } from "./store";

const keep = sceneKeeper();

/** The scene of the stores' present state. It is remembered: asking again costs nothing. */
export function sceneNow(): Scene {
  return keep(
    useDocument.getState().document,
    useCatalog.getState().types,
    useLooks.getState().looks,
    useCanvas.getState().moving,
  );
}

/** The same for a component, which is drawn again when the scene changes. */
export function useScene(): Scene {
  const document = useDocument((state) => state.document);
  const types = useCatalog((state) => state.types);
  const looks = useLooks((state) => state.looks);
  const moving = useCanvas((state) => state.moving);
  return keep(document, types, looks, moving);
}

/** A node's size, rows and ports; the component is drawn again only when they change. */
export function useBox(id: string): NodeBox | undefined {
  useDocument((state) => state.document.nodes[id]);
  useDocument((state) => state.document.layout?.[id]);
  useLooks((state) => state.looks[id]);
  useCanvas((state) => state.moving?.sizes[id]);
  return sceneNow().boxes.get(id)?.box;
}

/** The rectangle around all nodes and frames; null for an empty canvas. */
export function wholeNow(): Rect | null {
  const frames = Object.values(useDocument.getState().document.frames ?? {});
  const rects = frames.map(({ spot: [x, y, width, height] }) => ({ x, y, width, height }));
  return around([...sceneNow().boxes.values(), ...rects]);
}

/** The kinds of the open graph's ports. */
export function kindsNow(): Kinds {
  const { types, models } = useCatalog.getState();
  return inferKinds(useDocument.getState().document, types, models);
}
