import { t } from "../text/text";
import type { FieldProps } from "./field";

/** Yes or no. */
export function ToggleWidget({ look, id, name, value, change, describedBy }: FieldProps) {
  const on = value === true;
  return (
    <button
      type="button"
      id={id}
      role="switch"
      className={`toggle toggle-${look} nodrag`}
      aria-checked={on}
      aria-label={look === "row" ? name : undefined}
      aria-describedby={describedBy}
      onClick={() => change(!on)}
    >
      {look === "row" && <span className="widget-name">{name}</span>}
      <span className="toggle-word">{on ? t("widget.on") : t("widget.off")}</span>
      <span className="toggle-track" aria-hidden="true">
        <span className="toggle-knob" />
      </span>
    </button>
  );
}
