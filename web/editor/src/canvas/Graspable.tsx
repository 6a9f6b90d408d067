import type { FocusEvent, HTMLAttributes, KeyboardEvent } from "react";
import { useUi } from "../state/ui";
import { selectNodes } from "./actions";
import { sceneNow } from "./now";
import { reveal } from "./stage";

interface GraspableProps extends HTMLAttributes<HTMLElement> {
  /** The node that it is. */
  id: string;
  /** What screen readers call it. */
  name: string;
}

/**
 * What stands for a node on the canvas: the pointer can drag it, the keyboard can go to it. The focus that the keyboard
 * brings selects it and brings it into view; a click does its own selecting.
 */
export function Graspable({ id, name, onKeyDown, ...rest }: GraspableProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be drawn as a node
    <div
      role="group"
      aria-label={name}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a node answers to keys
      tabIndex={0}
      data-node={id}
      data-keys="canvas"
      onFocus={(event) => onFocus(event, id)}
      onKeyDown={(event) => {
        onKeyDown?.(event);
        if (!event.defaultPrevented) leave(event);
      }}
      {...rest}
    />
  );
}

function onFocus(event: FocusEvent<HTMLElement>, id: string): void {
  if (!event.target.matches(":focus-visible")) return;
  if (event.target === event.currentTarget && !useUi.getState().selection.has(id)) selectNodes([id]);
  const box = sceneNow().boxes.get(id);
  if (box !== undefined) reveal(box);
}

/** Escape inside a node goes back to the node. */
function leave(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== "Escape" || event.target === event.currentTarget) return;
  event.preventDefault();
  event.currentTarget.focus();
}
