import type { Json } from "../graph/catalog";
import type { Model } from "../state/api";
import { useCatalog } from "../state/catalog";
import { t } from "../text/text";
import type { FieldProps } from "./field";
import { NamePicker } from "./NamePicker";
import type { Option } from "./Picker";
import { sizeText } from "./sizes";

/** A model: those that are at hand, by kind, with what is wrong with the broken ones; any other name may be typed. */
export function ModelWidget(props: FieldProps) {
  const models = useCatalog((state) => state.models);
  const reload = useCatalog((state) => state.reloadModels);
  const known = models.find((model) => model.name === props.value);
  const note = props.look === "block" ? (known?.kind ?? undefined) : undefined;
  return <NamePicker {...props} options={optionsOf(models)} note={note} onOpen={() => void reload()} />;
}

/** Models as they are listed: by kind, those that cannot be used last. */
export function optionsOf(models: readonly Model[]): Option[] {
  const kinds = [...new Set(models.map((model) => model.kind))].sort(byName);
  return kinds.flatMap((kind) => models.filter((model) => model.kind === kind).map(optionOf));
}

function byName(a: string | null, b: string | null): number {
  return a === null ? 1 : b === null ? -1 : a.localeCompare(b);
}

/** A model or a file as it is listed. */
export function optionOf({ name, kind, detail }: Model): Option {
  const told = [text(detail.pipeline_class), text(detail.source), bytes(detail.bytes)].filter((part) => part !== "");
  const trouble = problemIn(detail.problem);
  return {
    value: name,
    title: name,
    group: kind ?? t("widget.unusable"),
    ...(told.length > 0 ? { detail: told.join(" · ") } : {}),
    ...(trouble === null ? {} : { trouble }),
  };
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

function bytes(value: Json | undefined): string {
  return typeof value === "number" && value > 0 ? sizeText(value) : "";
}

function problemIn(value: Json | undefined): string | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  return `${text(value.what)} ${text(value.fix)}`.trim() || null;
}
