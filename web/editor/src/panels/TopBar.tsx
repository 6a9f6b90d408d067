import { useEffect, useRef, useState } from "react";
import { allCommands, keyText, runCommand } from "../state/commands";
import { useDocument } from "../state/document";
import { shareDone } from "../state/nodeRuns";
import { usePlan } from "../state/plan";
import { type Theme, usePreferences } from "../state/preferences";
import { useRuns } from "../state/runs";
import { type PanelId, useUi } from "../state/ui";
import { t } from "../text/text";
import { Icon, type IconName } from "../widgets/Icon";
import { IconButton } from "../widgets/IconButton";
import { useConflict } from "./conflict";
import "./panels.css";

const PANELS: { id: PanelId; icon: IconName }[] = [
  { id: "node", icon: "node" },
  { id: "inspect", icon: "eye" },
  { id: "queue", icon: "queue" },
  { id: "gallery", icon: "pictures" },
  { id: "problems", icon: "warning" },
  { id: "keys", icon: "keyboard" },
  { id: "settings", icon: "settings" },
];

/** The bar at the top: the graph and whether it is saved, undo and redo, the run, the panels. */
export function TopBar() {
  return (
    <header className="top">
      <div className="top-left">
        <PanelButton id="graphs" icon="folder" />
        <Heading />
        <Title />
        <Saved />
      </div>
      <div className="top-middle">
        <Undo />
        <RunButtons />
      </div>
      <nav className="top-right" aria-label={t("top.panels")}>
        {PANELS.map((panel) => (
          <PanelButton key={panel.id} {...panel} />
        ))}
        <span className="top-gap" />
        <IconButton
          icon="search"
          label={t("top.commands")}
          keys={keysOf("palette")}
          onClick={() => runCommand("palette")}
        />
        <ThemeButton />
      </nav>
    </header>
  );
}

/** The first chord of a command, as people write it. */
function keysOf(id: string): string | undefined {
  const chord = allCommands().find((command) => command.id === id)?.keys?.[0];
  return chord === undefined ? undefined : keyText(chord);
}

/** The page's heading for screen readers; the field that is seen in its place is none. */
function Heading() {
  const title = useDocument((state) => (state.document.name || state.name) ?? t("app.name"));
  return <h1 className="visually-hidden">{title}</h1>;
}

function Title() {
  const name = useDocument((state) => state.name);
  const title = useDocument((state) => state.document.name ?? state.name ?? "");
  const rename = useDocument((state) => state.renameGraph);
  const [draft, setDraft] = useState<string | null>(null);
  const leave = () => {
    const wish = draft?.trim() ?? "";
    setDraft(null);
    if (wish !== "" && wish !== title) void rename(wish);
  };
  if (name === null) return <span className="top-title is-empty">{t("top.noGraph")}</span>;
  return (
    <input
      className="top-title"
      aria-label={t("top.title")}
      title={t("top.titleOf", { name })}
      value={draft ?? title}
      maxLength={100}
      size={Math.min(40, Math.max(8, (draft ?? title).length))}
      spellCheck={false}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={leave}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key !== "Escape") return;
        setDraft(null);
        event.preventDefault();
      }}
    />
  );
}

function Saved() {
  const { state, problem } = useDocument((store) => store.save);
  const name = useDocument((store) => store.name);
  const save = useDocument((store) => store.saveNow);
  const ask = useConflict((store) => store.ask);
  if (name === null) return null;
  const words = t(`save.${state}`);
  const act = state === "conflict" ? ask : state === "offline" || state === "refused" ? () => void save() : null;
  return (
    <div className={`top-saved is-${state}`} role="status" title={problem}>
      <span className="top-dot" aria-hidden="true" />
      {act === null ? (
        <span>{words}</span>
      ) : (
        <button type="button" className="link-button" onClick={act}>
          {words}
        </button>
      )}
    </div>
  );
}

function Undo() {
  const { undoLabel, redoLabel, undo, redo } = useDocument();
  const undoName = undoLabel === null ? t("command.undo") : t("top.undoOf", { label: t(undoLabel) });
  const redoName = redoLabel === null ? t("command.redo") : t("top.redoOf", { label: t(redoLabel) });
  return (
    <div className="top-group">
      <IconButton icon="undo" label={undoName} keys={keyText("mod+z")} disabled={undoLabel === null} onClick={undo} />
      <IconButton
        icon="redo"
        label={redoName}
        keys={keyText("mod+shift+z")}
        disabled={redoLabel === null}
        onClick={redo}
      />
    </div>
  );
}

function RunButtons() {
  const name = useDocument((state) => state.name);
  const blocked = usePlan((state) => state.problems.length);
  const { running, order, paused } = useRuns((state) => state.queue);
  const part = useRuns((state) => (state.shown !== null && state.shown === running ? shareDone(state.nodes) : null));
  const live = running !== null;
  const [sending, setSending] = useState(false);
  const start = async () => {
    setSending(true);
    try {
      await useRuns.getState().start();
    } finally {
      setSending(false);
    }
  };
  const hint = blocked > 0 ? t("top.runBlocked", { count: blocked }) : t("top.run");
  return (
    <div className="top-group">
      <button
        type="button"
        className="run-button"
        title={`${hint}  ${keyText("mod+enter")}`}
        aria-keyshortcuts="Control+Enter"
        disabled={name === null || sending}
        onClick={() => void start()}
      >
        <Icon name="play" size={14} />
        {t("top.run")}
        {order.length > 0 && (
          <span className="run-count" title={t("top.waiting", { count: order.length })}>
            {order.length}
            <span className="visually-hidden"> {t("top.waiting", { count: order.length })}</span>
          </span>
        )}
      </button>
      {paused && <span className="top-paused">{t("top.paused")}</span>}
      {live && (
        <button
          type="button"
          className="quiet-button top-cancel"
          onClick={() => void useRuns.getState().cancel(running)}
        >
          <Icon name="stop" size={14} />
          {t("top.cancel")}
          {part !== null && (
            <span className="top-percent">{t("top.percent", { percent: Math.floor(part * 100) })}</span>
          )}
        </button>
      )}
      {live && <span className="top-progress" style={{ transform: `scaleX(${part ?? 0})` }} aria-hidden="true" />}
    </div>
  );
}

function PanelButton({ id, icon }: { id: PanelId; icon: IconName }) {
  const open = useUi((state) => state.panel === id);
  const openPanel = useUi((state) => state.openPanel);
  const count = usePlan((state) => (id === "problems" ? state.problems.length : 0));
  const button = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(open);
  useEffect(() => {
    // A panel that is closed by its own button would leave the focus nowhere.
    if (wasOpen.current && !open && document.activeElement === document.body) button.current?.focus();
    wasOpen.current = open;
  }, [open]);
  const label = t(`panel.${id}`);
  return (
    <span className="top-panel">
      <IconButton
        ref={button}
        icon={icon}
        label={count > 0 ? `${label}: ${t("status.problems", { count })}` : label}
        keys={keysOf(`panel.${id}`)}
        pressed={open}
        onClick={() => openPanel(open ? null : id)}
      />
      {count > 0 && (
        <span className="top-badge" aria-hidden="true">
          {count > 99 ? "99+" : count}
        </span>
      )}
    </span>
  );
}

const NEXT: Record<Theme, Theme> = { system: "dark", dark: "light", light: "system" };
const ICONS: Record<Theme, IconName> = { system: "screen", dark: "moon", light: "sun" };

function ThemeButton() {
  const { theme, set } = usePreferences();
  return (
    <IconButton icon={ICONS[theme]} label={t(`command.theme.${theme}`)} onClick={() => set({ theme: NEXT[theme] })} />
  );
}
