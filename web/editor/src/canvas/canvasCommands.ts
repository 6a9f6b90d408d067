import { copyText } from "../graph/clipboard";
import { type Command, registerCommands } from "../state/commands";
import { useDocument } from "../state/document";
import { useRuns } from "../state/runs";
import { useUi } from "../state/ui";
import { t } from "../text/text";
import {
  addNodeHere,
  docNow,
  duplicate,
  pasteAt,
  removeSelected,
  selectedLinks,
  selectedNodes,
  selectNodes,
  selectNothing,
  toggleState,
} from "./actions";
import { readClip, writeClip } from "./clip";
import { pointerOrMiddle } from "./lastPointer";
import { firstSelectedLink } from "./menus";
import { placeCommands } from "./placeCommands";
import { frameSelected } from "./places";
import { say, useCanvas } from "./store";

const any = () => selectedNodes().length > 0;
const several = () => selectedNodes().length > 1;
const filled = () => Object.keys(docNow().nodes).length > 0;
const open = () => useDocument.getState().name !== null;

/** The commands of the canvas; returns how to take them away. */
export function registerCanvasCommands(): () => void {
  return registerCommands([...adding(), ...editing(), ...placeCommands(), ...running()]);
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
      enabled: () => named() !== undefined,
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

/** The selected node that shows its name; notes and reroutes show none. */
function named(): string | undefined {
  return selectedNodes().find((id) => !["Note", "Reroute"].includes(docNow().nodes[id]?.type ?? ""));
}

function rename(): void {
  const node = named();
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
  await writeClip(copyText(docNow(), selectedNodes()));
}

async function cut(): Promise<void> {
  const text = copyText(docNow(), selectedNodes());
  removeSelected();
  await writeClip(text);
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
