import type { MouseEvent, Ref } from "react";
import { Icon, type IconName } from "./Icon";

interface IconButtonProps {
  icon: IconName;
  /** What it does: its name for screen readers, and its tooltip. */
  label: string;
  /** The keys that do the same, for the tooltip. */
  keys?: string | undefined;
  onClick: (event: MouseEvent<HTMLButtonElement>) => void;
  disabled?: boolean;
  /** For what is on or off. */
  pressed?: boolean;
  small?: boolean;
  danger?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

/** A button with a drawing instead of a word. */
export function IconButton(props: IconButtonProps) {
  const { icon, label, keys, onClick, disabled = false, pressed, small = false, danger = false, ref } = props;
  const look = `icon-button nodrag${small ? " is-small" : ""}${danger ? " is-danger" : ""}`;
  return (
    <button
      ref={ref}
      type="button"
      className={look}
      aria-label={label}
      aria-pressed={pressed}
      title={keys === undefined ? label : `${label}  ${keys}`}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} size={small ? 14 : 16} />
    </button>
  );
}
