import { useLayoutEffect, useRef } from "react";
import { useCanvas } from "./store";

interface RenameFieldProps {
  className: string;
  label: string;
  text: string;
  longest: number;
  /** Another text was written: Enter and leaving the field keep it, Escape does not. */
  keep: (text: string) => void;
}

/** The field in which what is being renamed on the canvas is written anew. */
export function RenameField({ className, label, text, longest, keep }: RenameFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  const left = useRef(false);
  useLayoutEffect(() => input.current?.select(), []);
  const done = (kept: boolean) => {
    if (left.current) return;
    left.current = true;
    const written = input.current?.value.trim() ?? text;
    useCanvas.setState({ renaming: null });
    if (kept && written !== text) keep(written);
  };
  return (
    <input
      ref={input}
      className={`${className} nodrag`}
      aria-label={label}
      defaultValue={text}
      maxLength={longest}
      spellCheck={false}
      onBlur={() => done(true)}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
        event.preventDefault();
        event.stopPropagation();
        done(event.key === "Enter");
      }}
    />
  );
}
