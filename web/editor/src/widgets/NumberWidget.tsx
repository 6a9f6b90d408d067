import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { checkValue } from "../graph/schema";
import type { FieldProps, Refused } from "./field";
import { clamp, dragged, formatNumber, type NumberShape, readNumber, share, snap } from "./numbers";
import { Refusal, useRefusal } from "./Refusal";

interface Drag {
  from: number;
  x: number;
  moved: boolean;
}

/** Pixels that a pointer may tremble before a click becomes a drag. */
const TREMBLE = 3;

/**
 * A number: drag sideways over it (Shift is finer), step it with the arrow keys (Shift: ten steps), or click and type one,
 * also as a sum. What is dragged stays in the range; what is typed is taken or refused with a sentence.
 */
export function NumberWidget({
  look,
  id,
  name,
  port,
  value,
  change,
  describedBy,
  spec,
}: FieldProps & { spec: NumberShape }) {
  const box = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const drag = useRef<Drag | null>(null);
  const [draft, setDraft] = useState<string | null>(null);
  const [live, setLive] = useState<number | null>(null);
  const { refused, refuse, forget } = useRefusal();
  const number = live ?? (typeof value === "number" ? value : null);
  const part = number === null ? null : share(number, spec);

  // A wrong draft stays to be mended while the field has the focus; left alone, it makes way for the value that counts.
  const commit = (leaving: boolean) => {
    if (draft === null) return;
    const typed = readNumber(draft);
    const empty = draft.trim() === "";
    const same = empty || draft === shownAs(number);
    const problem = same ? null : typed === null ? notANumber(draft) : checkValue(port, typed);
    if (problem === null || leaving) setDraft(null);
    if (problem !== null) refuse(problem);
    else if (empty && !port.required) change(undefined);
    else if (!same && typed !== null) change(typed);
  };

  const step = (steps: number) => {
    const start = (draft === null ? null : readNumber(draft)) ?? number ?? spec.min ?? 0;
    setDraft(null);
    change(clamp(snap(start + steps * spec.step, spec), spec), "step");
  };

  const keys = (event: KeyboardEvent<HTMLInputElement>) => {
    const sign = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
    if (sign !== 0) step(event.shiftKey ? 10 * sign : sign);
    else if (event.key === "Enter") commit(false);
    else if (event.key === "Escape" && (draft !== null || refused !== null)) {
      setDraft(null);
      forget();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const down = (event: PointerEvent<HTMLDivElement>) => {
    if (event.button !== 0 || document.activeElement === input.current) return;
    event.preventDefault(); // no caret before it is known whether this becomes a drag
    box.current?.setPointerCapture(event.pointerId);
    drag.current = { from: number ?? spec.min ?? 0, x: event.clientX, moved: false };
  };
  const move = (event: PointerEvent<HTMLDivElement>) => {
    const held = drag.current;
    if (held === null || (!held.moved && Math.abs(event.clientX - held.x) < TREMBLE)) return;
    held.moved = true;
    const width = box.current?.getBoundingClientRect().width ?? 1;
    setLive(dragged(held.from, event.clientX - held.x, width, spec, event.shiftKey));
  };
  const up = () => {
    const held = drag.current;
    drag.current = null;
    if (held === null) return;
    if (!held.moved) {
      input.current?.focus();
      input.current?.select();
    } else if (live !== null && live !== value) change(live);
    setLive(null);
  };
  const lost = () => {
    drag.current = null;
    setLive(null);
  };

  return (
    <div className={`number number-${look}`}>
      <div
        ref={box}
        className={`number-box nodrag nopan${live === null ? "" : " is-dragged"}${refused === null ? "" : " is-refused"}`}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onPointerCancel={lost}
      >
        {part !== null && spec.slider && <span className="number-bar" style={{ width: `${part * 100}%` }} />}
        {look === "row" && <span className="widget-name">{name}</span>}
        <input
          ref={input}
          id={id}
          role="spinbutton"
          className="number-input"
          type="text"
          inputMode={spec.integer && (spec.min ?? -1) >= 0 ? "numeric" : "decimal"}
          autoComplete="off"
          spellCheck={false}
          aria-label={look === "row" ? name : undefined}
          aria-valuenow={number ?? undefined}
          aria-valuemin={spec.min ?? undefined}
          aria-valuemax={spec.max ?? undefined}
          aria-invalid={refused !== null}
          aria-describedby={describedBy}
          value={draft ?? shownAs(number)}
          onChange={(event) => {
            forget();
            setDraft(event.target.value);
          }}
          onKeyDown={keys}
          onBlur={() => commit(true)}
        />
      </div>
      <Refusal refused={refused} look={look} anchor={box} forget={forget} />
    </div>
  );
}

function shownAs(number: number | null): string {
  return number === null ? "" : formatNumber(number);
}

function notANumber(text: string): Refused {
  return { key: "widget.notANumber", params: { text } };
}
