import type { Json } from "../graph/catalog";
import { t } from "../text/text";
import type { FieldProps } from "./field";
import { Icon } from "./Icon";
import { Picker } from "./Picker";

/** So many values are still overseen without searching. */
const FEW = 12;

/** One of several values: the browser's own list where they are few, one with a search field where they are many. */
export function ChoiceWidget(props: FieldProps & { values: readonly Json[] }) {
  const { look, id, name, value, values, change, describedBy } = props;
  const chosen = value === undefined ? -1 : values.indexOf(value);
  const choose = (index: number) => change(values[index]);
  return (
    <div className={`choice choice-${look}`}>
      {look === "row" && <span className="widget-name">{name}</span>}
      {values.length > FEW ? (
        <Picker
          id={id}
          name={name}
          options={values.map((item, index) => ({ value: String(index), title: word(item) }))}
          value={chosen < 0 ? null : String(chosen)}
          choose={(index) => choose(Number(index))}
          describedBy={describedBy}
        >
          <span className="choice-value">{value === undefined ? t("widget.choose") : word(value)}</span>
        </Picker>
      ) : (
        <>
          <select
            id={id}
            className="choice-select nodrag"
            aria-label={look === "row" ? name : undefined}
            aria-describedby={describedBy}
            value={chosen}
            onChange={(event) => choose(Number(event.target.value))}
          >
            {chosen < 0 && <option value={-1}>{value === undefined ? t("widget.choose") : word(value)}</option>}
            {values.map((item, index) => (
              <option key={word(item)} value={index}>
                {word(item)}
              </option>
            ))}
          </select>
          <Icon name="down" size={12} />
        </>
      )}
    </div>
  );
}

function word(value: Json): string {
  if (typeof value === "boolean") return t(value ? "widget.on" : "widget.off");
  return typeof value === "string" ? value : value === null ? t("widget.nothing") : JSON.stringify(value);
}
