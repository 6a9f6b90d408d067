import type { Command } from "../state/commands";
import { usePlan } from "../state/plan";
import { useRuns } from "../state/runs";
import { useUi } from "../state/ui";
import { docNow, focusNode, selectedNodes, selectNodes } from "./actions";
import { ALIGNMENTS } from "./arrange";
import { type Direction, nearest, nearestTo } from "./near";
import { sceneNow, wholeNow } from "./now";
import { align, distribute, grow, nudge, tidy } from "./places";
import { GRID } from "./pointer";
import { around } from "./rect";
import { graphPoint, showRect, stageMiddle, stageNow, stageSize } from "./stage";
import { centred, toGraph, zoomed } from "./view";

const DIRECTIONS: readonly Direction[] = ["left", "right", "up", "down"];
const STEPS: Record<Direction, [number, number]> = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] };

const any = () => selectedNodes().length > 0;
const several = () => selectedNodes().length > 1;
const filled = () => Object.keys(docNow().nodes).length > 0;

/** The commands that go from node to node, put nodes in their places, and look elsewhere. */
export function placeCommands(): Command[] {
  return [...moving(), ...arranging(), ...looking()];
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
      {
        id: `canvas.grow.${direction}`,
        title: `canvas.command.grow.${direction}`,
        group: "edit",
        keys: [`alt+shift+${key}`],
        where: "canvas",
        enabled: any,
        run: () => grow(dx * GRID, dy * GRID),
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
      run: () => showRect(wholeNow()),
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
