import { useRef, useState } from "react";
import type { Json } from "../graph/catalog";
import { checkValue } from "../graph/schema";
import { t } from "../text/text";
import type { FieldProps, Refused } from "./field";
import { Icon } from "./Icon";
import { Popover } from "./Popover";
import { Refusal, useRefusal } from "./Refusal";

/** Any JSON value, written as text: for what no other widget fits. */
export function JsonWidget(props: FieldProps) {
  if (props.look === "block") return <Editor {...props} />;
  return (
    <Folded {...props} summary={brief(props.value)}>
      <Editor {...props} look="block" />
    </Folded>
  );
}

/** A row with a summary that opens a sheet with the whole. */
export function Folded({ name, summary, children }: FieldProps & { summary: string; children: React.ReactNode }) {
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div className="choice choice-row">
      <span className="widget-name">{name}</span>
      <button
        ref={button}
        type="button"
        className="picker-button nodrag"
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-label={`${name}: ${summary}`}
        onClick={() => setOpen(!open)}
      >
        <span className="choice-value">{summary}</span>
        <Icon name="down" size={12} />
      </button>
      {open && (
        <Popover anchor={button} close={close} className="folded-sheet" wide>
          <fieldset className="folded">
            <legend>{name}</legend>
            {children}
          </fieldset>
        </Popover>
      )}
    </div>
  );
}

function Editor({ id, name, port, value, change, describedBy }: FieldProps) {
  const box = useRef<HTMLDivElement>(null);
  const [draft, setDraft] = useState<string | null>(null);
  const { refused, refuse, forget } = useRefusal();
  const leave = () => {
    if (draft === null) return;
    const read = parsed(draft);
    const problem: Refused | null = "problem" in read ? read.problem : checkValue(port, read.value);
    if (problem !== null) {
      refuse(problem);
      return; // a text that took work to write stays, to be mended
    }
    setDraft(null);
    if ("value" in read) change(read.value);
  };
  return (
    <div ref={box} className={`text text-block is-long${refused === null ? "" : " is-refused"}`}>
      <textarea
        id={id}
        className="text-area text-json nodrag nowheel nopan"
        rows={5}
        spellCheck={false}
        aria-label={t("widget.asJson", { name })}
        aria-invalid={refused !== null}
        aria-describedby={describedBy}
        value={draft ?? (value === undefined ? "" : JSON.stringify(value, null, 2))}
        onChange={(event) => {
          forget();
          setDraft(event.target.value);
        }}
        onBlur={leave}
      />
      <Refusal refused={refused} look="block" anchor={box} forget={forget} />
    </div>
  );
}

function parsed(text: string): { value: Json | undefined } | { problem: Refused } {
  if (text.trim() === "") return { value: undefined };
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { problem: { key: "widget.notJson" } };
  }
}

/** A value in a few characters. */
export function brief(value: Json | undefined): string {
  if (value === undefined) return t("widget.choose");
  if (value === null) return t("widget.nothing");
  const text = JSON.stringify(value);
  return text.length > 24 ? `${text.slice(0, 23)}…` : text;
}
