import { type ReactNode, useEffect, useRef } from "react";
import "./panels.css";

interface DialogProps {
  /** Its name for screen readers, or the id of what names it. */
  label?: string;
  labelledBy?: string;
  describedBy?: string;
  className: string;
  close: () => void;
  children: ReactNode;
}

/**
 * A dialog over the page: the browser keeps the focus in it, Escape and a click beside it close it, and the focus returns
 * to where it was.
 */
export function Dialog({ label, labelledBy, describedBy, className, close, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    const element = dialog.current;
    if (element !== null && !element.open) element.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape does what a click beside the dialog does
    <dialog
      ref={dialog}
      className={`dialog ${className}`}
      aria-label={label}
      aria-labelledby={labelledBy}
      aria-describedby={describedBy}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) close();
      }}
    >
      {children}
    </dialog>
  );
}
