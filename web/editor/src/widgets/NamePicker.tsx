import { t } from "../text/text";
import type { FieldProps } from "./field";
import { type Option, Picker } from "./Picker";

interface NamePickerProps extends FieldProps {
  options: readonly Option[];
  note?: string | undefined;
  onOpen: () => void;
}

/** The name of something on the server: those that are at hand, nothing where that will do; any other may be typed. */
export function NamePicker(props: NamePickerProps) {
  const { look, id, name, port, value, change, describedBy, options, note, onOpen } = props;
  const held = typeof value === "string" && value !== "" ? value : null;
  const none: Option[] = port.required ? [] : [{ value: "", title: t("widget.nothing") }];
  return (
    <div className={`choice choice-${look}`}>
      {look === "row" && <span className="widget-name">{name}</span>}
      <Picker
        id={id}
        name={name}
        options={[...none, ...options]}
        value={held ?? (port.required ? null : "")}
        choose={(chosen) => change(chosen === "" ? undefined : chosen)}
        free
        describedBy={describedBy}
        note={note}
        onOpen={onOpen}
      >
        <span className="choice-value" title={held ?? undefined}>
          {held ?? (port.required ? t("widget.choose") : t("widget.nothing"))}
        </span>
      </Picker>
    </div>
  );
}
