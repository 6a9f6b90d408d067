import { type Command, registerCommands } from "../state/commands";
import { useDocument } from "../state/document";
import { usePlan } from "../state/plan";
import { useRuns } from "../state/runs";
import { useUi } from "../state/ui";
import { t } from "../text/text";
import {
  addNodeHere,
  align,
  distribute,
  docNow,
  duplicate,
  focusNode,
  frameSelected,
  nudge,
  pasteAt,
  removeSelected,
  selectedLinks,
  selectedNodes,
  selectNodes,
  selectNothing,
  tidy,
  toggleState,
} from "./actions";
import { ALIGNMENTS } from "./arrange";
import { copyNodes, readClip, writeClip } from "./clip";
import { firstSelectedLink } from "./menus";
import { type Direction, nearest, nearestTo } from "./near";
import { sceneNow } from "./now";
import { GRID } from "./pointer";
import { around } from "./rect";
import { graphPoint, showRect, stageMiddle, stageNow, stageSize } from "./stage";
import { say, useCanvas } from "./store";
import { centred, toGraph, zoomed } from "./view";

const DIRECTIONS: readonly Direction[] = ["left", "right", "up", "down"];
const STEPS: Record<Direction, [number, number]> = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] };

const any = () => selectedNodes().length > 0;
const several = () => selectedNodes().length > 1;
const filled = () => Object.keys(docNow().nodes).length > 0;
const open = () => useDocument.getState().name !== null;

/** The commands of the canvas; returns how to take them away. */
export function registerCanvasCommands(): () => void {
  return registerCommands([...adding(), ...editing(), ...moving(), ...arranging(), ...looking(), ...running()]);
}

function adding(): Command[] {
  const here = () => useUi.getState().openPalette({ at: pointerOrMiddle() });
  return [
    {
      id: "canvas.add",
      title: "canvas.command.add",
      group: "node",
      keys: ["tab", "shift+a"],
      where: "canvas",
      enabled: open,
      run: here,
    },
    {
      id: "canvas.note",
      title: "canvas.command.note",
      group: "node",
      enabled: open,
      run: () => void addNodeHere("Note", null),
    },
    {
      id: "canvas.frame",
      title: "canvas.command.frame",
      group: "node",
      keys: ["mod+g"],
      where: "canvas",
      enabled: open,
      run: frameSelected,
    },
    {
      id: "canvas.rename",
      title: "canvas.command.rename",
      group: "node",
      keys: ["f2"],
      where: "canvas",
      enabled: any,
      run: rename,
    },
    {
      id: "canvas.mute",
      title: "canvas.command.mute",
      group: "node",
      keys: ["m"],
      where: "canvas",
      enabled: any,
      run: () => toggleState("mute"),
    },
    {
      id: "canvas.bypass",
      title: "canvas.command.bypass",
      group: "node",
      keys: ["b"],
      where: "canvas",
      enabled: any,
      run: () => toggleState("bypass"),
    },
    {
      id: "canvas.inspect",
      title: "canvas.command.inspect",
      group: "node",
      keys: ["shift+i"],
      where: "canvas",
      enabled: () => firstSelectedLink() !== undefined,
      run: () => useUi.getState().inspect(firstSelectedLink()?.from ?? null),
    },
  ];
}

function rename(): void {
  const [node] = selectedNodes();
  if (node !== undefined) useCanvas.setState({ renaming: { node } });
}

function editing(): Command[] {
  const something = () => any() || selectedLinks().length > 0 || useCanvas.getState().selectedFrame !== null;
  return [
    {
      id: "canvas.copy",
      title: "canvas.command.copy",
      group: "edit",
      keys: ["mod+c"],
      where: "canvas",
      enabled: any,
      run: copy,
    },
    {
      id: "canvas.cut",
      title: "canvas.command.cut",
      group: "edit",
      keys: ["mod+x"],
      where: "canvas",
      enabled: any,
      run: cut,
    },
    {
      id: "canvas.paste",
      title: "canvas.command.paste",
      group: "edit",
      keys: ["mod+v"],
      where: "canvas",
      enabled: open,
      run: async () => pasteAt(await readClip(), pointerOrMiddle()),
    },
    {
      id: "canvas.duplicate",
      title: "canvas.command.duplicate",
      group: "edit",
      keys: ["mod+d"],
      where: "canvas",
      enabled: any,
      run: duplicate,
    },
    {
      id: "canvas.selectAll",
      title: "canvas.command.selectAll",
      group: "edit",
      keys: ["mod+a"],
      where: "canvas",
      enabled: filled,
      run: () => selectNodes(Object.keys(docNow().nodes)),
    },
    {
      id: "canvas.selectNone",
      title: "canvas.command.selectNone",
      group: "edit",
      keys: ["escape"],
      where: "canvas",
      enabled: something,
      run: selectNothing,
    },
    {
      id: "canvas.remove",
      title: "canvas.command.remove",
      group: "edit",
      keys: ["delete", "backspace"],
      where: "canvas",
      enabled: something,
      run: () => removeSelected(),
    },
    {
      id: "canvas.removeHeal",
      title: "canvas.command.removeHeal",
      group: "edit",
      keys: ["shift+delete"],
      where: "canvas",
      enabled: any,
      run: () => removeSelected(true),
    },
  ];
}

async function copy(): Promise<void> {
  await writeClip(copyNodes(docNow(), selectedNodes()));
}

async function cut(): Promise<void> {
  const text = copyNodes(docNow(), selectedNodes());
  removeSelected();
  await writeClip(text);
}

function moving(): Command[] {
  return DIRECTIONS.flatMap((direction): Command[] => {
    const key = `arrow${direction}`;
    const [dx, dy] = STEPS[direction];
    return [
      {
        id: `canvas.go.${direction}`,
        title: `canvas.command.go.${direction}`,
        group: "view",
        keys: [key],
        where: "canvas",
        enabled: filled,
        run: () => go(direction, false),
      },
      {
        id: `canvas.extend.${direction}`,
        title: `canvas.command.extend.${direction}`,
        group: "edit",
        keys: [`shift+${key}`],
        where: "canvas",
        enabled: any,
        run: () => go(direction, true),
      },
      {
        id: `canvas.move.${direction}`,
        title: `canvas.command.move.${direction}`,
        group: "edit",
        keys: [`alt+${key}`],
        where: "canvas",
        enabled: any,
        run: () => nudge(dx * GRID, dy * GRID),
      },
    ];
  });
}

/** Go from the node that has the keyboard, or from the selected one, to the nearest in a direction. */
function go(direction: Direction, extend: boolean): void {
  const { boxes } = sceneNow();
  const focused = document.activeElement?.closest<HTMLElement>("[data-node]")?.dataset.node;
  const from = focused ?? selectedNodes()[0];
  const to = from === undefined ? nearestTo(boxes, graphPoint(stageMiddle())) : nearest(boxes, from, direction);
  if (to === null) return;
  if (extend) useUi.getState().select([to], true);
  else selectNodes([to]);
  focusNode(to);
}

function arranging(): Command[] {
  return [
    ...ALIGNMENTS.map(
      (way): Command => ({
        id: `canvas.align.${way}`,
        title: `canvas.command.align.${way}`,
        group: "node",
        enabled: several,
        run: () => align(way),
      }),
    ),
    ...(["across", "down"] as const).map(
      (way): Command => ({
        id: `canvas.distribute.${way}`,
        title: `canvas.command.distribute.${way}`,
        group: "node",
        enabled: () => selectedNodes().length > 2,
        run: () => distribute(way),
      }),
    ),
    {
      id: "canvas.tidy",
      title: "canvas.command.tidy",
      group: "node",
      keys: ["shift+t"],
      where: "canvas",
      enabled: filled,
      run: tidy,
    },
  ];
}

function looking(): Command[] {
  return [
    {
      id: "canvas.fit",
      title: "canvas.command.fit",
      group: "view",
      keys: ["f", "home"],
      where: "canvas",
      enabled: filled,
      run: () => showRect(around(sceneNow().boxes.values())),
    },
    {
      id: "canvas.fitSelection",
      title: "canvas.command.fitSelection",
      group: "view",
      keys: ["shift+f"],
      where: "canvas",
      enabled: any,
      run: () => showRect(around(selectedNodes().flatMap((id) => sceneNow().boxes.get(id) ?? []))),
    },
    {
      id: "canvas.zoomIn",
      title: "canvas.command.zoomIn",
      group: "view",
      keys: ["+", "="],
      where: "canvas",
      run: () => zoom(1.25),
    },
    {
      id: "canvas.zoomOut",
      title: "canvas.command.zoomOut",
      group: "view",
      keys: ["-"],
      where: "canvas",
      run: () => zoom(0.8),
    },
    {
      id: "canvas.actual",
      title: "canvas.command.actual",
      group: "view",
      keys: ["1"],
      where: "canvas",
      run: actualSize,
    },
    {
      id: "canvas.failed",
      title: "canvas.command.failed",
      group: "view",
      keys: ["e"],
      where: "canvas",
      enabled: () => failingNode() !== null,
      run: () => {
        const id = failingNode();
        if (id !== null) selectNodes([id], true);
      },
    },
  ];
}

function zoom(factor: number): void {
  const { width, height } = stageSize();
  const stage = stageNow();
  stage?.show(zoomed(stage.view(), { x: width / 2, y: height / 2 }, factor), true);
}

function actualSize(): void {
  const stage = stageNow();
  const size = stageSize();
  stage?.show(centred(toGraph(stage.view(), { x: size.width / 2, y: size.height / 2 }), size, 1), true);
}

/** The node that failed in the run, else the next one that the plan finds a problem at. */
function failingNode(): string | null {
  const { nodes } = docNow();
  const failed = Object.entries(useRuns.getState().nodes).find(([id, run]) => run.state === "failed" && nodes[id]);
  if (failed !== undefined) return failed[0];
  const wrong = Object.keys(usePlan.getState().ofNode).filter((id) => nodes[id] !== undefined);
  const [selected] = selectedNodes();
  const next = wrong.indexOf(selected ?? "") + 1;
  return wrong[next] ?? wrong[0] ?? null;
}

function running(): Command[] {
  return [
    {
      id: "canvas.runTo",
      title: "canvas.command.runTo",
      group: "run",
      keys: ["mod+shift+enter"],
      enabled: () => selectedNodes().length === 1,
      run: async () => {
        const only = selectedNodes();
        say(t("canvas.said.runTo", { node: only[0] ?? "" }));
        await useRuns.getState().start({ only });
      },
    },
    {
      id: "canvas.runSelection",
      title: "canvas.command.runSelection",
      group: "run",
      keys: ["alt+enter"],
      enabled: several,
      run: () => useRuns.getState().start({ only: selectedNodes() }),
    },
  ];
}

let pointer: { x: number; y: number } | null = null;

/** Remember where the pointer is over the canvas; null when it leaves. */
export function rememberPointer(at: { x: number; y: number } | null): void {
  pointer = at;
}

/** Whether somebody points at the canvas. */
export function isPointed(): boolean {
  return pointer !== null;
}

/** Where the pointer is, or the middle of the canvas where it is elsewhere. */
export function pointerOrMiddle(): { x: number; y: number } {
  return pointer ?? stageMiddle();
}
