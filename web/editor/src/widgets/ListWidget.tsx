import type { InputPort, Json, TypeJson } from "../graph/catalog";
import { readLink } from "../graph/links";
import { portPath } from "../graph/names";
import { defaultOf } from "../graph/schema";
import { t } from "../text/text";
import { Field } from "./Field";
import type { FieldProps } from "./field";
import { Icon } from "./Icon";
import { IconButton } from "./IconButton";
import { Folded } from "./JsonWidget";

/** Several values, one below the other; linked ones keep their place among them. */
export function ListWidget(props: FieldProps) {
  if (props.look === "block") return <Items {...props} />;
  const count = Array.isArray(props.value) ? props.value.length : 0;
  return (
    <Folded {...props} summary={t("widget.items", { count })}>
      <Items {...props} look="block" />
    </Folded>
  );
}

function Items({ id, name, port, value, change }: FieldProps) {
  const items = Array.isArray(value) ? value : [];
  const item = itemPort(port);
  const put = (index: number, next: Json | undefined, merge?: string) =>
    change(items.with(index, next ?? defaultOf(item) ?? blank(item)), merge && `${merge}-${index}`);
  const swap = (index: number, other: number) => {
    const [one, two] = [items[index], items[other]];
    if (one !== undefined && two !== undefined) change(items.with(index, two).with(other, one));
  };
  return (
    <div className="list" id={id}>
      {items.map((entry, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: an item has no other name than its place
        <div className="list-item" key={index}>
          <Item
            id={`${id}-${index}`}
            name={`${name} ${index + 1}`}
            port={item}
            value={entry}
            put={(next, merge) => put(index, next, merge)}
          />
          <IconButton
            icon="up"
            label={t("widget.itemUp", { number: index + 1 })}
            disabled={index === 0}
            onClick={() => swap(index, index - 1)}
            small
          />
          <IconButton
            icon="close"
            label={t("widget.itemRemove", { number: index + 1 })}
            onClick={() => change(items.toSpliced(index, 1))}
            small
          />
        </div>
      ))}
      <button type="button" className="quiet-button" onClick={() => change([...items, defaultOf(item) ?? blank(item)])}>
        <Icon name="plus" size={14} /> {t("widget.itemAdd")}
      </button>
    </div>
  );
}

interface ItemProps {
  id: string;
  name: string;
  port: InputPort;
  value: Json;
  put: (value: Json | undefined, merge?: string) => void;
}

function Item({ id, name, port, value, put }: ItemProps) {
  const link = readLink(value);
  if (link !== null) return <span className="list-link">{t("widget.linkedTo", { port: portPath(link) })}</span>;
  return <Field look="row" id={id} name={name} port={port} value={value} change={put} />;
}

/** The port that one item of a list would have. */
export function itemPort(port: InputPort): InputPort {
  const options = port.schema?.anyOf ?? (port.schema === null ? [] : [port.schema]);
  const schema = options.find((option) => option.items !== undefined)?.items ?? {};
  return { ...port, required: true, description: "", type: itemType(port.type), schema };
}

function itemType(type: TypeJson): TypeJson {
  if (type.is === "list") return type.item;
  const list = type.is === "union" ? type.members.find((member) => member.is === "list") : undefined;
  return list === undefined ? { is: "anything" } : itemType(list);
}

function blank(port: InputPort): Json {
  const { type, minimum } = port.schema ?? {};
  if (type === "string") return "";
  if (type === "boolean") return false;
  if (type === "array") return [];
  return type === "object" ? {} : (minimum ?? 0);
}
