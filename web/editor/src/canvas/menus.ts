import { inputOf, typeOf } from "../graph/catalog";
import {
  editFrame,
  exposeInput,
  exposeOutput,
  hideInput,
  hideOutput,
  type Port,
  removeFrame,
  setInput,
  setSeedMode,
  type Tint,
} from "../graph/document";
import { publicName } from "../graph/interface";
import { type Link, linkId, linksOf } from "../graph/links";
import { portPath } from "../graph/names";
import { widgetOf } from "../graph/schema";
import { useCatalog } from "../state/catalog";
import { allCommands, isEnabled, runCommand } from "../state/commands";
import { useDocument } from "../state/document";
import { useUi } from "../state/ui";
import { t } from "../text/text";
import { docNow, removeLinks, removeLinksAt, selectLink, selectNodes } from "./actions";
import { curveMiddle } from "./curve";
import { offerLinks, reroute } from "./linking";
import type { MenuEntry } from "./Menu";
import { sceneNow } from "./now";
import type { Point } from "./rect";
import { portAt } from "./scene";
import { windowPoint } from "./stage";
import { useCanvas } from "./store";
import { linksFrom, linksInto } from "./wire";

const TINTS: readonly Tint[] = ["gray", "red", "orange", "green", "blue", "purple"];

const ON_NODE = ["canvas.rename", "-", "canvas.runTo", "canvas.runSelection", "-", "canvas.mute", "canvas.bypass"];
const ON_NODES = ["-", "canvas.copy", "canvas.cut", "canvas.duplicate", "-", "canvas.frame", "canvas.tidy"];
const ALIGNING = ["-", "canvas.align.left", "canvas.align.top", "canvas.distribute.across", "canvas.distribute.down"];
const REMOVING = ["-", "canvas.removeHeal", "canvas.remove"];
const ON_CANVAS = [
  "canvas.add",
  "canvas.paste",
  "-",
  "canvas.selectAll",
  "canvas.frame",
  "canvas.tidy",
  "-",
  "canvas.fit",
  "canvas.actual",
  "canvas.failed",
];

/** The menu of a node; a node that is not selected is selected first. */
export function openNodeMenu(id: string, at: Point): void {
  const { selection } = useUi.getState();
  if (!selection.has(id)) selectNodes([id]);
  const many = selection.has(id) && selection.size > 1;
  const ids = [...(many ? ON_NODE.slice(2) : ON_NODE), ...ON_NODES, ...(many ? ALIGNING : []), ...REMOVING];
  open(at, t("canvas.menu.node", { node: id }), fromCommands(ids));
}

/** The menu of empty space. */
export function openCanvasMenu(at: Point): void {
  open(at, t("canvas.menu.canvas"), fromCommands(ON_CANVAS));
}

/** The menu of a link. */
export function openLinkMenu(link: Link, at: Point): void {
  selectLink(linkId(link));
  open(at, t("canvas.menu.link"), [
    { title: t("canvas.inspect"), run: () => useUi.getState().inspect(link.from), keys: "shift+i" },
    { title: t("canvas.goto", { node: link.from.node }), run: () => selectNodes([link.from.node], true) },
    { title: t("canvas.goto", { node: link.to.node }), run: () => selectNodes([link.to.node], true) },
    ...(useCatalog.getState().types.Reroute === undefined
      ? []
      : [{ title: t("canvas.reroute"), run: () => reroute(link, at) }]),
    "line",
    { title: t("canvas.unlink"), run: () => removeLinks([link]), keys: "delete", danger: true },
  ]);
}

/** The menu of a port. */
export function openPortMenu(port: Port, side: "in" | "out", at: Point): void {
  open(at, t("canvas.menu.port", { port: portPath(port) }), side === "in" ? inputMenu(port) : outputMenu(port));
}

function inputMenu(port: Port): MenuEntry[] {
  const doc = docNow();
  const { edit } = useDocument.getState();
  const spec = inputOf(typeOf(useCatalog.getState().types, doc.nodes[port.node]?.type ?? ""), port.port);
  const links = linksInto(doc, port);
  const source = links[0]?.from;
  const shown = publicName(doc, "inputs", port) !== null;
  const value = doc.nodes[port.node]?.inputs?.[port.port];
  const entries: MenuEntry[] = [{ title: t("canvas.linkTo"), run: () => offerLinks(port, "in"), keys: "enter" }];
  if (source !== undefined) {
    entries.push({ title: t("canvas.inspect"), run: () => useUi.getState().inspect(source), keys: "shift+i" });
  }
  if (spec?.schema && links.length === 0) {
    entries.push("line", {
      title: t("canvas.expose"),
      checked: shown,
      run: () =>
        edit(shown ? "canvas.edit.hide" : "canvas.edit.expose", (now) =>
          shown ? hideInput(now, port) : exposeInput(now, port),
        ),
    });
    if (widgetOf(spec).is === "seed") entries.push(...seedMenu(port));
    if (value !== undefined && !spec.required) {
      entries.push({
        title: t("canvas.reset"),
        run: () => edit("canvas.edit.reset", (now) => setInput(now, port, undefined)),
      });
    }
  }
  const [first] = links;
  if (first !== undefined) {
    if (useCatalog.getState().types.Reroute !== undefined) {
      entries.push({ title: t("canvas.reroute"), run: () => rerouteInMiddle(first) });
    }
    entries.push("line", { title: t("canvas.unlink"), run: () => removeLinks(links), keys: "delete", danger: true });
  }
  return entries;
}

function rerouteInMiddle(link: Link): void {
  const { boxes } = sceneNow();
  const from = portAt(boxes, link.from, "out");
  const to = portAt(boxes, link.to, "in");
  if (from !== null && to !== null) reroute(link, windowPoint(curveMiddle(from, to)));
}

function seedMenu(port: Port): MenuEntry[] {
  const mode = docNow().seeds?.[portPath(port)] ?? null;
  const { edit } = useDocument.getState();
  return ([null, "random", "increment"] as const).map((choice) => ({
    title: t(
      choice === null ? "canvas.seed.pinned" : choice === "random" ? "canvas.seed.random" : "canvas.seed.increment",
    ),
    checked: mode === choice,
    run: () => edit("canvas.edit.seed", (doc) => setSeedMode(doc, port, choice)),
  }));
}

function outputMenu(port: Port): MenuEntry[] {
  const doc = docNow();
  const { edit } = useDocument.getState();
  const links = linksFrom(doc, port);
  const shown = publicName(doc, "outputs", port) !== null;
  return [
    { title: t("canvas.linkTo"), run: () => offerLinks(port, "out"), keys: "enter" },
    { title: t("canvas.inspect"), run: () => useUi.getState().inspect(port), keys: "shift+i" },
    "line",
    {
      title: t("canvas.exposeOutput"),
      checked: shown,
      run: () =>
        edit(shown ? "canvas.edit.hide" : "canvas.edit.expose", (now) =>
          shown ? hideOutput(now, port) : exposeOutput(now, port),
        ),
    },
    ...(links.length === 0
      ? []
      : ([
          "line",
          {
            title: t("canvas.unlinkAll", { count: links.length }),
            run: () => removeLinksAt(port, "out"),
            keys: "delete",
            danger: true,
          },
        ] satisfies MenuEntry[])),
  ];
}

/** The menu of a frame. */
export function openFrameMenu(id: string, at: Point): void {
  const frame = docNow().frames?.[id];
  if (frame === undefined) return;
  const { edit } = useDocument.getState();
  useCanvas.setState({ selectedFrame: id });
  open(at, t("canvas.menu.frame", { title: frame.title }), [
    { title: t("canvas.frame.rename"), run: () => useCanvas.setState({ renaming: { frame: id } }), keys: "f2" },
    "line",
    ...TINTS.map((tint) => ({
      title: t(`canvas.tint.${tint}`),
      tint,
      checked: (frame.tint ?? "gray") === tint,
      run: () => {
        edit("canvas.edit.frame", (doc) => editFrame(doc, id, { tint }));
      },
    })),
    "line",
    {
      title: t("canvas.frame.remove"),
      run: () => {
        edit("canvas.edit.removeFrame", (doc) => removeFrame(doc, id));
      },
      keys: "delete",
      danger: true,
    },
  ]);
}

/** Links at the node that has the keyboard, for the commands that need one. */
export function firstSelectedLink(): Link | undefined {
  const { links } = useCanvas.getState();
  return linksOf(docNow()).find((link) => links.has(linkId(link)));
}

function fromCommands(ids: readonly string[]): MenuEntry[] {
  const known = new Map(allCommands().map((command) => [command.id, command]));
  return ids.flatMap((id): MenuEntry[] => {
    const command = known.get(id);
    if (command === undefined) return id === "-" ? ["line"] : [];
    return [
      {
        title: t(command.title),
        keys: command.keys?.[0],
        disabled: !isEnabled(command),
        danger: id === "canvas.remove",
        run: () => runCommand(id),
      },
    ];
  });
}

function open(at: Point, label: string, entries: MenuEntry[]): void {
  useCanvas.setState({ menu: { at, label, entries } });
}
