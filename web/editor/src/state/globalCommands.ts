import { focusNextRegion } from "../regions";
import { type Command, registerCommands } from "./commands";
import { useDocument } from "./document";
import { type LanguageWish, type Theme, usePreferences } from "./preferences";
import { isLive } from "./runList";
import { useRuns } from "./runs";
import { navigate, useSession } from "./session";
import { type PanelId, useUi } from "./ui";

const THEMES: readonly Theme[] = ["dark", "light", "system"];
const LANGUAGES: readonly LanguageWish[] = ["en", "zh", "system"];
const PANELS: readonly PanelId[] = ["node", "queue", "gallery", "graphs", "inspect", "problems", "keys", "settings"];

const PANEL_KEYS: Partial<Record<PanelId, readonly string[]>> = {
  node: ["n"],
  queue: ["q"],
  gallery: ["g"],
  graphs: ["mod+o"],
  inspect: ["i"],
  keys: ["?"],
  settings: ["mod+,"],
};

const doc = () => useDocument.getState();
const runs = () => useRuns.getState();

/** The form has no panels. */
const inEditor = () => useSession.getState().route.view !== "form";

/** The commands that do not belong to the canvas; returns how to take them away. */
export function registerGlobalCommands(): () => void {
  return registerCommands([...fileCommands(), ...runCommands(), ...panelCommands(), ...viewCommands()]);
}

function fileCommands(): Command[] {
  const hasGraph = () => doc().name !== null;
  return [
    {
      id: "undo",
      title: "command.undo",
      group: "edit",
      keys: ["mod+z"],
      enabled: () => doc().undoLabel !== null,
      run: () => doc().undo(),
    },
    {
      id: "redo",
      title: "command.redo",
      group: "edit",
      keys: ["mod+shift+z", "mod+y"],
      enabled: () => doc().redoLabel !== null,
      run: () => doc().redo(),
    },
    {
      id: "save",
      title: "command.save",
      group: "file",
      keys: ["mod+s"],
      enabled: hasGraph,
      run: () => doc().saveNow(),
    },
    // browsers keep Ctrl+N for themselves
    { id: "new", title: "command.new", group: "file", keys: ["alt+n"], run: () => doc().create() },
    {
      id: "form",
      title: "command.form",
      group: "view",
      enabled: hasGraph,
      run: () => {
        const { name } = doc();
        if (name !== null) {
          navigate({ view: "form", name });
        }
      },
    },
  ];
}

function runCommands(): Command[] {
  const busy = () => runs().queue.running !== null || isLive(runs().runs[runs().shown ?? ""]);
  return [
    { id: "run", title: "command.run", group: "run", keys: ["mod+enter"], run: () => runs().start() },
    {
      id: "cancel",
      title: "command.cancel",
      group: "run",
      keys: ["mod+."],
      enabled: busy,
      run: () => runs().cancel(),
    },
    {
      id: "pause",
      title: "command.pause",
      group: "run",
      enabled: () => !runs().queue.paused,
      run: () => runs().pause(),
    },
    {
      id: "resume",
      title: "command.resume",
      group: "run",
      enabled: () => runs().queue.paused,
      run: () => runs().resume(),
    },
  ];
}

function panelCommands(): Command[] {
  const panels = PANELS.map((id): Command => {
    const keys = PANEL_KEYS[id];
    return {
      id: `panel.${id}`,
      title: id === "graphs" ? "command.open" : `command.panel.${id}`,
      group: id === "graphs" ? "file" : id === "keys" ? "help" : "view",
      ...(keys && { keys }),
      enabled: inEditor,
      run: () => togglePanel(id),
    };
  });
  return [
    ...panels,
    {
      id: "region",
      title: "command.region",
      group: "view",
      keys: ["f6"],
      enabled: inEditor,
      run: focusNextRegion,
    },
    {
      id: "closePanel",
      title: "command.closePanel",
      group: "view",
      enabled: () => useUi.getState().panel !== null,
      run: () => useUi.getState().openPanel(null),
    },
    {
      id: "palette",
      title: "command.palette",
      group: "help",
      keys: ["mod+k", "mod+shift+p", "f1"],
      enabled: inEditor,
      run: () => useUi.getState().openCommands(true),
    },
  ];
}

function togglePanel(id: PanelId): void {
  const { panel, openPanel } = useUi.getState();
  openPanel(panel === id ? null : id);
}

function viewCommands(): Command[] {
  const preferences = () => usePreferences.getState();
  const themes = THEMES.map((theme): Command => {
    return {
      id: `theme.${theme}`,
      title: `command.theme.${theme}`,
      group: "view",
      run: () => preferences().set({ theme }),
    };
  });
  const languages = LANGUAGES.map((language): Command => {
    const run = () => preferences().set({ language });
    return { id: `language.${language}`, title: `command.language.${language}`, group: "view", run };
  });
  return [
    ...themes,
    ...languages,
    {
      id: "minimap",
      title: "command.minimap",
      group: "view",
      run: () => preferences().set({ minimap: !preferences().minimap }),
    },
    { id: "snap", title: "command.snap", group: "view", run: () => preferences().set({ snap: !preferences().snap }) },
  ];
}
