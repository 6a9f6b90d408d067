import { useState } from "react";
import { api, type Model } from "../state/api";
import { report } from "../state/ui";
import { t } from "../text/text";
import type { FieldProps } from "./field";
import { optionOf } from "./ModelWidget";
import { type Option, Picker } from "./Picker";

/** A file of one sort, such as a LoRA: those that are at hand, looked for when the list opens; any name may be typed. */
export function FileWidget(props: FieldProps & { resource: string }) {
  const { look, id, name, port, value, change, describedBy, resource } = props;
  const [files, setFiles] = useState<readonly Model[]>([]);
  const held = typeof value === "string" && value !== "" ? value : null;
  const none: Option[] = port.required ? [] : [{ value: "", title: t("widget.nothing") }];
  const search = () => {
    api.files(resource).then(setFiles, report);
  };
  return (
    <div className={`choice choice-${look}`}>
      {look === "row" && <span className="widget-name">{name}</span>}
      <Picker
        id={id}
        name={name}
        options={[...none, ...optionsOf(files)]}
        value={held ?? (port.required ? null : "")}
        choose={(chosen) => change(chosen === "" ? undefined : chosen)}
        free
        describedBy={describedBy}
        onOpen={search}
      >
        <span className="choice-value" title={held ?? undefined}>
          {held ?? (port.required ? t("widget.choose") : t("widget.nothing"))}
        </span>
      </Picker>
    </div>
  );
}

/** Files as they are listed, those that cannot be used last. */
function optionsOf(files: readonly Model[]): Option[] {
  const options = files.map((file) => ({ file, option: optionOf(file) }));
  const fine = options.filter(({ option }) => option.trouble === undefined);
  const broken = options.filter(({ option }) => option.trouble !== undefined);
  return [
    ...fine.map(({ file, option: { group: _, ...rest } }) =>
      file.kind === null ? rest : { ...rest, group: file.kind },
    ),
    ...broken.map(({ option }) => option),
  ];
}
