import { type ReactNode, useId } from "react";
import { useUi } from "../state/ui";
import { t } from "../text/text";
import { IconButton } from "../widgets/IconButton";
import "./panels.css";

interface PanelProps {
  title: string;
  /** Buttons beside the title. */
  actions?: ReactNode;
  children: ReactNode;
}

/** The frame of a panel: its title, its buttons, and what scrolls below them. */
export function Panel({ title, actions, children }: PanelProps) {
  const id = useId();
  const close = useUi((state) => state.openPanel);
  return (
    <section className="panel" aria-labelledby={id}>
      <header className="panel-head">
        <h2 id={id} className="panel-title">
          {title}
        </h2>
        <div className="panel-actions">
          {actions}
          <IconButton icon="close" label={t("panel.close")} onClick={() => close(null)} small />
        </div>
      </header>
      <div className="panel-body">{children}</div>
    </section>
  );
}

/** What a panel says while it has nothing to show. */
export function Nothing({ children }: { children: ReactNode }) {
  return <div className="panel-nothing">{children}</div>;
}
