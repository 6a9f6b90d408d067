import type { ComponentType } from "react";
import { GalleryPanel } from "./panels/GalleryPanel";
import { GraphsPanel } from "./panels/GraphsPanel";
import { InspectPanel } from "./panels/InspectPanel";
import { KeysPanel } from "./panels/KeysPanel";
import { NodePanel } from "./panels/NodePanel";
import { ProblemsPanel } from "./panels/ProblemsPanel";
import { QueuePanel } from "./panels/QueuePanel";
import { SettingsPanel } from "./panels/SettingsPanel";
import type { PanelId } from "./state/ui";

const PANELS: Record<PanelId, ComponentType> = {
  node: NodePanel,
  queue: QueuePanel,
  gallery: GalleryPanel,
  graphs: GraphsPanel,
  inspect: InspectPanel,
  problems: ProblemsPanel,
  keys: KeysPanel,
  settings: SettingsPanel,
};

/** The one panel that is open. */
export function SidePanel({ id }: { id: PanelId }) {
  const Panel = PANELS[id];
  return <Panel />;
}
