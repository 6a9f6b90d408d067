import { type Toast, useUi } from "../state/ui";
import { t } from "../text/text";
import { Icon, type IconName } from "../widgets/Icon";
import { IconButton } from "../widgets/IconButton";
import "./panels.css";

const ICONS: Record<Toast["kind"], IconName> = { info: "right", ok: "check", problem: "warning" };

/** Short notices. They are read out as they come: problems at once, the others when there is a pause. */
export function Toasts() {
  const toasts = useUi((state) => state.toasts);
  return (
    <section className="toasts" aria-label={t("toasts.title")}>
      <div aria-live="polite">{toasts.filter(({ kind }) => kind !== "problem").map(OneToast)}</div>
      <div aria-live="assertive">{toasts.filter(({ kind }) => kind === "problem").map(OneToast)}</div>
    </section>
  );
}

function OneToast({ id, kind, text }: Toast) {
  return (
    <div key={id} className={`toast is-${kind}`}>
      <Icon name={ICONS[kind]} size={14} />
      <p>{text}</p>
      <IconButton icon="close" label={t("toasts.dismiss")} onClick={() => useUi.getState().dismiss(id)} small />
    </div>
  );
}
