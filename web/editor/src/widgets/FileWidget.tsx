import { useState } from "react";
import { api, type Model } from "../state/api";
import { report } from "../state/ui";
import type { FieldProps } from "./field";
import { optionOf } from "./ModelWidget";
import { NamePicker } from "./NamePicker";
import type { Option } from "./Picker";

/** A file of one sort, such as a LoRA: those that are at hand, looked for when the list opens; any name may be typed. */
export function FileWidget({ resource, ...props }: FieldProps & { resource: string }) {
  const [files, setFiles] = useState<readonly Model[]>([]);
  const search = () => {
    api.files(resource).then(setFiles, report);
  };
  return <NamePicker {...props} options={optionsOf(files)} onOpen={search} />;
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
