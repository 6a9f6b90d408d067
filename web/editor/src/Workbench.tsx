import { Canvas } from "./canvas/Canvas";
import { ErrorBoundary } from "./ErrorBoundary";
import { Loading } from "./Loading";
import { CommandPalette } from "./panels/CommandPalette";
import { TopBar } from "./panels/TopBar";
import { SidePanel } from "./SidePanel";
import { StatusLine } from "./StatusLine";
import { useCatalog } from "./state/catalog";
import { useDocument } from "./state/document";
import { useUi } from "./state/ui";
import { t } from "./text/text";

/** The editor: the bar at the top, the canvas, one panel at its right, the status line. */
export function Workbench() {
  const name = useDocument((state) => state.name);
  const panel = useUi((state) => state.panel);
  return (
    <div className="workbench" data-panel={panel ?? undefined}>
      <a className="workbench-skip" href="#canvas">
        {t("app.skip")}
      </a>
      <TopBar />
      <main id="canvas" className="workbench-canvas" aria-label={t("app.canvas")} tabIndex={-1}>
        <ErrorBoundary about={name}>
          <CanvasWhenReady />
        </ErrorBoundary>
      </main>
      {panel !== null && (
        <aside className="workbench-panel" aria-label={t("app.panel")}>
          <ErrorBoundary about={`${panel} ${name}`}>
            <SidePanel id={panel} />
          </ErrorBoundary>
        </aside>
      )}
      <StatusLine />
      <CommandPalette />
    </div>
  );
}

/** The canvas, once it is known what nodes there are. */
function CanvasWhenReady() {
  const status = useCatalog((state) => state.status);
  const failure = useCatalog((state) => state.failure);
  const load = useCatalog((state) => state.load);
  if (status === "loading") {
    return <Loading />;
  }
  if (status === "failed") {
    return (
      <div className="failure" role="alert">
        <p>{t("catalog.failed", { problem: failure ?? "" })}</p>
        <div className="failure-actions">
          <button type="button" onClick={() => void load()}>
            {t("catalog.again")}
          </button>
        </div>
      </div>
    );
  }
  return <Canvas />;
}
