import { type ChangeEvent, useRef, useState } from "react";
import { checkValue } from "../graph/schema";
import { t } from "../text/text";
import type { FieldProps } from "./field";
import { Refusal, useRefusal } from "./Refusal";

/**
 * A text, of one line or of several. Each keystroke counts at once; what the schema refuses stays in the field with the
 * reason and is given up when the field is left.
 */
export function TextWidget(props: FieldProps & { multiline: boolean }) {
  const { look, id, name, port, value, change, describedBy, multiline } = props;
  const box = useRef<HTMLDivElement>(null);
  const [draft, setDraft] = useState<string | null>(null);
  const { refused, refuse, forget } = useRefusal();
  const text = draft ?? (typeof value === "string" ? value : "");

  const typed = (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => {
    const wish = event.target.value;
    const next = wish === "" && port.schema?.default === null ? undefined : wish;
    const problem = next === undefined ? null : checkValue(port, next);
    setDraft(problem === null ? null : wish);
    if (problem === null) {
      forget();
      change(next, "text");
    } else refuse(problem);
  };
  const shared = {
    id,
    value: text,
    onChange: typed,
    onBlur: () => setDraft(null),
    "aria-label": look === "row" ? name : undefined,
    "aria-invalid": refused !== null,
    "aria-describedby": describedBy,
    placeholder: port.required ? t("widget.required") : value === null ? t("widget.nothing") : "",
  };

  return (
    <div
      ref={box}
      className={`text text-${look}${multiline ? " is-long" : ""}${refused === null ? "" : " is-refused"}`}
    >
      {look === "row" && <span className="widget-name">{name}</span>}
      {multiline ? (
        <textarea {...shared} className="text-area nodrag nowheel nopan" rows={look === "row" ? 3 : 4} />
      ) : (
        <input {...shared} className="text-line nodrag nopan" type="text" autoComplete="off" />
      )}
      <Refusal refused={refused} look={look} anchor={box} forget={forget} />
    </div>
  );
}
