import {
  Background,
  BackgroundVariant,
  type Edge,
  type EdgeMouseHandler,
  type Node,
  ReactFlow,
  ReactFlowProvider,
  useStore,
} from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import "./canvas.css";
import { type DragEvent, useLayoutEffect, useRef, useState } from "react";
import type { Link } from "../graph/links";
import { useDocument } from "../state/document";
import { usePreferences } from "../state/preferences";
import { t } from "../text/text";
import { removeLinks, selectLink } from "./actions";
import { bringFiles } from "./bring";
import { Frames } from "./Frames";
import { LinkChip } from "./LinkChip";
import { LinkView } from "./LinkView";
import { reroute } from "./linking";
import { ContextMenu } from "./Menu";
import { Minimap, MOST_NODES } from "./Minimap";
import { openLinkMenu } from "./menus";
import { NodeView } from "./NodeView";
import { NoteView } from "./NoteView";
import { useScene, wholeNow } from "./now";
import { Overview } from "./Overview";
import { Palette } from "./Palette";
import { PendingLink } from "./PendingLink";
import { GRID, onStageDoubleClick, onStageDown, onStageMenu } from "./pointer";
import { RerouteView } from "./RerouteView";
import { SelectionBox } from "./SelectionBox";
import { stageNow } from "./stage";
import { useCanvas } from "./store";
import { useClipboard, useStageInput, useStageRegistration } from "./useStage";
import { distanceAt, fitted, MAX_ZOOM, MIN_ZOOM, type View } from "./view";

const NODE_TYPES = { node: NodeView, note: NoteView, reroute: RerouteView };
const EDGE_TYPES = { link: LinkView };
const NO_NODES: Node[] = [];
const NO_EDGES: Edge[] = [];
const MIDDLE_BUTTON = [1];
const NO_MARK = { hideAttribution: true };

/** The canvas: the open graph, to be looked at and changed. */
export function Canvas() {
  return (
    <ReactFlowProvider>
      <Stage />
    </ReactFlowProvider>
  );
}

function Stage() {
  const element = useRef<HTMLDivElement>(null);
  const [first, setFirst] = useState<View | null>(null);
  // Before React Flow has taken the first view over, its own zoom means nothing.
  const distance = useStore((state) => distanceAt(state.panZoom === null ? (first?.zoom ?? 1) : state.transform[2]));
  const overview = distance === "overview";
  const space = useStageInput(element);
  useStageRegistration(element);
  useClipboard();
  useLayoutEffect(() => useCanvas.setState({ distance }), [distance]);

  // The size is known before anything is drawn, so that a large graph is never drawn twice.
  useLayoutEffect(() => {
    if (element.current !== null) setFirst(wholeView(element.current));
  }, []);
  const opening = useFitOnOpening();

  return (
    <div
      ref={element}
      className="stage"
      role="application"
      aria-label={t("canvas.name")}
      aria-describedby="canvas-help"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the canvas has keys of its own
      tabIndex={0}
      data-keys="canvas"
      onPointerDown={(event) => onStageDown(event, space.current)}
      onDoubleClick={onStageDoubleClick}
      onContextMenu={onStageMenu}
      onDragOver={onDragOver}
      onDrop={onDrop}
    >
      {first !== null && <Flow first={first} overview={overview} empty={overview || opening} />}
      <PendingLink />
      <SelectionBox />
      <MinimapIfWanted />
      <Palette />
      <ContextMenu />
      <Said />
      <p id="canvas-help" hidden>
        {t("canvas.help")}
      </p>
      <p id="canvas-node-help" hidden>
        {t("canvas.node.help")}
      </p>
    </div>
  );
}

function Flow({ first, overview, empty }: { first: View; overview: boolean; empty: boolean }) {
  const scene = useScene();
  return (
    <ReactFlow
      nodes={empty ? NO_NODES : scene.nodes}
      edges={empty ? NO_EDGES : scene.links}
      nodeTypes={NODE_TYPES}
      edgeTypes={EDGE_TYPES}
      defaultViewport={first}
      minZoom={MIN_ZOOM}
      maxZoom={MAX_ZOOM}
      onlyRenderVisibleElements
      panOnDrag={MIDDLE_BUTTON}
      panOnScroll
      panOnScrollSpeed={1}
      zoomOnScroll={false}
      zoomOnDoubleClick={false}
      nodesDraggable={false}
      nodesConnectable={false}
      nodesFocusable={false}
      edgesFocusable={false}
      elementsSelectable={false}
      elevateNodesOnSelect={false}
      disableKeyboardA11y
      deleteKeyCode={null}
      selectionKeyCode={null}
      multiSelectionKeyCode={null}
      panActivationKeyCode={null}
      zoomActivationKeyCode={null}
      proOptions={NO_MARK}
      onError={quiet}
      onEdgeClick={onLinkClick}
      onEdgeDoubleClick={onLinkDoubleClick}
      onEdgeContextMenu={onLinkMenu}
      onEdgeMouseEnter={onLinkEnter}
      onEdgeMouseLeave={onLinkLeave}
    >
      <Background variant={BackgroundVariant.Dots} gap={GRID} size={1.2} color="var(--grid)" />
      {overview && <Overview />}
      <Frames />
      <LinkChip />
    </ReactFlow>
  );
}

/** React Flow warns of links that end at no port; the plan tells of them, in words that people understand. */
function quiet(): void {}

function MinimapIfWanted() {
  const wanted = usePreferences((state) => state.minimap);
  const fits = useDocument(({ document: { nodes } }) => {
    const count = Object.keys(nodes).length;
    return count > 1 && count <= MOST_NODES;
  });
  return wanted && fits ? <Minimap /> : null;
}

function Said() {
  const said = useCanvas((state) => state.said);
  return (
    <div className="visually-hidden" aria-live="polite">
      {said}
    </div>
  );
}

/**
 * Show another graph whole when it is opened. Returns whether that is still to be done: until then nothing is drawn,
 * because what would be seen in the view of the graph before is drawn for nothing.
 */
function useFitOnOpening(): boolean {
  const name = useDocument((state) => state.name);
  const nodes = useDocument((state) => state.document.nodes);
  const last = useRef({ name, nodes });
  const [fitted, setFitted] = useState(name);
  useLayoutEffect(() => {
    const stage = stageNow();
    // A graph that was only given another name stays where it is.
    const other = name !== last.current.name && nodes !== last.current.nodes;
    if (other && stage !== null) stage.show(wholeView(stage.element), false);
    last.current = { name, nodes };
    setFitted(name);
  }, [name, nodes]);
  return fitted !== name;
}

function wholeView(element: HTMLElement): View {
  const size = { width: element.clientWidth, height: element.clientHeight };
  const whole = wholeNow();
  return whole === null ? { x: size.width / 2, y: size.height / 2, zoom: 1 } : fitted(whole, size);
}

function linkOf(edge: Edge): Link {
  return edge.data?.link as Link;
}

const onLinkClick: EdgeMouseHandler = (event, edge) => {
  if (event.altKey) removeLinks([linkOf(edge)]);
  else selectLink(edge.id, event.shiftKey || event.ctrlKey || event.metaKey);
  // The keyboard goes to the canvas, where Delete removes what is selected.
  stageNow()?.element.focus({ preventScroll: true });
};

const onLinkDoubleClick: EdgeMouseHandler = (event, edge) =>
  reroute(linkOf(edge), { x: event.clientX, y: event.clientY });

const onLinkMenu: EdgeMouseHandler = (event, edge) => {
  event.preventDefault();
  openLinkMenu(linkOf(edge), { x: event.clientX, y: event.clientY });
};

const onLinkEnter: EdgeMouseHandler = (_event, edge) => useCanvas.setState({ hoveredLink: edge.id });

const onLinkLeave: EdgeMouseHandler = (event) => {
  const to = event.relatedTarget;
  if (!(to instanceof Element) || to.closest(".chip") === null) useCanvas.setState({ hoveredLink: null });
};

function onDragOver(event: DragEvent): void {
  if (event.dataTransfer.types.includes("Files")) {
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  }
}

function onDrop(event: DragEvent): void {
  const files = [...event.dataTransfer.files];
  if (files.length === 0 || event.defaultPrevented) return;
  event.preventDefault();
  void bringFiles(files, { x: event.clientX, y: event.clientY });
}
