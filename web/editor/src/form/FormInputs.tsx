import { useId } from "react";
import type { FormInput } from "../graph/interface";
import { portPath, words } from "../graph/names";
import { widgetOf } from "../graph/schema";
import type { Trouble } from "../state/api";
import { useRuns } from "../state/runs";
import { t } from "../text/text";
import { Field } from "../widgets/Field";
import type { SeedMode, SeedState } from "../widgets/field";
import { IconButton } from "../widgets/IconButton";
import { type Filled, shownValue } from "./formValues";

interface FormInputsProps {
  inputs: readonly FormInput[];
  filled: Filled;
  change: (next: (before: Filled) => Filled) => void;
  problems: readonly Trouble[];
  /** How the graph itself has its seeds drawn, by "node.port". */
  seedModes: Readonly<Record<string, SeedMode>>;
}

/** The inputs of the form, each with its name, its meaning and its widget. */
export function FormInputs({ inputs, problems, ...rest }: FormInputsProps) {
  return inputs
    .filter(({ type }) => widgetOf(type).is !== "none")
    .map((input) => (
      <Input
        key={input.name}
        input={input}
        problem={problems.find(({ at }) => at === portPath(input.port))}
        {...rest}
      />
    ));
}

type InputProps = Omit<FormInputsProps, "inputs" | "problems"> & { input: FormInput; problem: Trouble | undefined };

function Input({ input, filled, change, problem, seedModes }: InputProps) {
  const id = useId();
  const { name, type } = input;
  const isSet = filled.values[name] !== undefined;
  const seed = useSeed(input, filled, change, seedModes);
  const put = (value: Filled["values"][string] | undefined) =>
    change((before) => {
      const { [name]: _, ...others } = before.values;
      return { ...before, values: value === undefined ? others : { ...others, [name]: value } };
    });
  return (
    <div className={`form-input${isSmall(type) ? " is-small" : ""}${problem === undefined ? "" : " is-wrong"}`}>
      <div className="input-head">
        <label className="input-name" htmlFor={id}>
          {words(name)}
        </label>
        {isSet && seed === undefined && (
          <IconButton
            icon="reset"
            label={t("form.reset", { name: words(name) })}
            onClick={() => put(undefined)}
            small
          />
        )}
      </div>
      <Field
        look="block"
        id={id}
        name={words(name)}
        port={type}
        value={shownValue(input, filled)}
        change={put}
        seed={seed}
        describedBy={`${id}-what`}
      />
      <p className="input-what" id={`${id}-what`}>
        {type.description}
      </p>
      {problem !== undefined && (
        <p className="refusal" role="alert">
          {problem.what} {problem.fix}
        </p>
      )}
    </div>
  );
}

function useSeed(
  { name, port, type }: FormInput,
  filled: Filled,
  change: FormInputsProps["change"],
  seedModes: FormInputsProps["seedModes"],
): SeedState | undefined {
  const path = portPath(port);
  const last = useRuns((state) => (state.shown === null ? undefined : state.runs[state.shown]?.drawn?.[path]));
  if (widgetOf(type).is !== "seed") return undefined;
  const mode = filled.seeds[name] ?? (name in filled.seeds ? null : (seedModes[path] ?? null));
  const setMode = (next: SeedMode) => change((before) => ({ ...before, seeds: { ...before.seeds, [name]: next } }));
  return { mode, setMode, last: last ?? null };
}

/** Two short widgets share a line. */
function isSmall(type: FormInput["type"]): boolean {
  return ["number", "choice", "toggle"].includes(widgetOf(type).is);
}
