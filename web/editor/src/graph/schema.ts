import type { InputPort, Json, JsonSchema, NodeType } from "./catalog";
import type { GraphNode } from "./document";
import type { Params, ValueKey } from "./errors";
import { readLink } from "./names";
import { hasLinks, inputValue } from "./nodes";
import { sameJson } from "./records";

/** Which widget an input has. `nullable` widgets can also hold nothing. */
export type WidgetSpec =
  | NumberSpec
  | { is: "choice"; values: Json[]; nullable: boolean }
  | { is: "text"; multiline: boolean; maxLength: number | null; nullable: boolean }
  | { is: "toggle"; nullable: boolean }
  | { is: "seed"; min: number; max: number }
  | { is: "picture"; nullable: boolean }
  | { is: "model"; nullable: boolean }
  | { is: "file"; resource: string; nullable: boolean }
  | { is: "resource"; resource: string; nullable: boolean }
  | { is: "list"; item: WidgetSpec; nullable: boolean }
  | { is: "json" }
  | { is: "none" };

/** A number; `min` and `max` are what stepping and dragging reach, `slider` says that they are near enough. */
export interface NumberSpec {
  is: "number";
  integer: boolean;
  min: number | null;
  max: number | null;
  step: number;
  slider: boolean;
  nullable: boolean;
}

/** Why an input refuses a value. */
export interface ValueProblem {
  key: ValueKey;
  params: Params;
}

/** More steps than a slider has pixels for. */
const SLIDER_STEPS = 1000;

/** What lies in the model folders beside models, and can be listed by name. */
const FILES: readonly string[] = ["ControlNet", "LoRA", "embedding", "VAE", "text encoder"];

/** The widget of an input: "none" where only links go in, "json" where no other widget can hold all its values. */
export function widgetOf(port: InputPort): WidgetSpec {
  const { schema } = port;
  if (schema === null) return { is: "none" };
  const { forms, nullable } = formsOf(schema, schema);
  if (port.resource == null) return widgetOfForms(forms, nullable, schema);
  if (port.resource === "picture" || port.resource === "model") return { is: port.resource, nullable };
  return { is: FILES.includes(port.resource) ? "file" : "resource", resource: port.resource, nullable };
}

/** The input that names the model which a node loads. */
export function modelPort(type: NodeType): InputPort | undefined {
  return type.inputs.find((port) => port.resource === "model");
}

/** What an input holds where nothing is written for it; undefined where it must be given something. */
export function defaultOf(port: InputPort): Json | undefined {
  return port.schema?.default;
}

/** What an input holds: what is written for it, which may be a link, or its default. */
export function valueIn(node: GraphNode, port: InputPort): Json | undefined {
  const written = inputValue(node, port.name);
  return written === undefined ? defaultOf(port) : written;
}

/** Whether an input has a widget on the node, which gives way to its label where it is linked. */
export function hasWidget(node: GraphNode, port: InputPort): boolean {
  if (port.schema === null) return false;
  if (port.dial) return true;
  const { is } = widgetOf(port);
  if (is !== "json" && is !== "list") return true;
  // What flows in comes by a link as a rule, and is shown as a value only where one is written.
  const value = inputValue(node, port.name);
  return value !== undefined && !hasLinks(value);
}

interface Forms {
  forms: JsonSchema[];
  nullable: boolean;
}

/** The schemas that a value may fit, references and unions taken apart, and whether null is one of them. */
function formsOf(schema: JsonSchema, root: JsonSchema): Forms {
  const name = schema.$ref?.replace(/^#\/\$defs\//, "");
  if (name !== undefined) return formsOf(root.$defs?.[name] ?? {}, root);
  const parts = schema.anyOf ?? schema.oneOf;
  if (parts === undefined)
    return schema.type === "null" ? { forms: [], nullable: true } : { forms: [schema], nullable: false };
  const found = parts.map((part) => formsOf(part, root));
  return { forms: found.flatMap((part) => part.forms), nullable: found.some((part) => part.nullable) };
}

function widgetOfForms(forms: readonly JsonSchema[], nullable: boolean, root: JsonSchema): WidgetSpec {
  const [form] = forms;
  if (form === undefined) return { is: "json" };
  const choices = forms.map(choicesOf);
  if (choices.every((values) => values !== null)) return { is: "choice", values: choices.flat() as Json[], nullable };
  if (forms.length > 1) {
    const numbers = forms.every(({ type }) => type === "integer" || type === "number");
    return numbers ? numberSpec(forms.find(({ type }) => type === "number") ?? form, nullable) : { is: "json" };
  }
  switch (form.type) {
    case "integer":
    case "number":
      return form.format === "seed" ? seedSpec(form) : numberSpec(form, nullable);
    case "boolean":
      return { is: "toggle", nullable };
    case "string":
      return { is: "text", multiline: form.format === "multiline", maxLength: form.maxLength ?? null, nullable };
    case "array":
      return form.prefixItems ? { is: "json" } : { is: "list", item: itemSpec(form.items ?? {}, root), nullable };
    default:
      return { is: "json" };
  }
}

function itemSpec(items: JsonSchema, root: JsonSchema): WidgetSpec {
  const { forms, nullable } = formsOf(items, root);
  return widgetOfForms(forms, nullable, root);
}

function choicesOf(form: JsonSchema): Json[] | null {
  return form.enum ?? (form.const === undefined ? null : [form.const]);
}

/** Python's whole numbers have no end, a browser's have. */
function seedSpec(form: JsonSchema): WidgetSpec {
  const { min, max } = bounds(form, 1);
  return { is: "seed", min: min ?? 0, max: Math.min(max ?? Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) };
}

function numberSpec(form: JsonSchema, nullable: boolean): WidgetSpec {
  const integer = form.type === "integer";
  const step = form.multipleOf ?? (integer ? 1 : fraction(form));
  const { min, max } = bounds(form, step);
  const slider = min !== null && max !== null && (max - min) / step <= SLIDER_STEPS;
  return { is: "number", integer, min, max, step, slider, nullable };
}

/** A step that is a small part of the range. */
function fraction(form: JsonSchema): number {
  const low = form.minimum ?? form.exclusiveMinimum;
  const high = form.maximum ?? form.exclusiveMaximum;
  if (low === undefined || high === undefined) return 0.1;
  return high - low <= 2 ? 0.01 : high - low <= 200 ? 0.1 : 1;
}

function bounds(form: JsonSchema, step: number): { min: number | null; max: number | null } {
  const above = form.exclusiveMinimum === undefined ? null : form.exclusiveMinimum + step;
  const below = form.exclusiveMaximum === undefined ? null : form.exclusiveMaximum - step;
  return { min: form.minimum ?? above, max: form.maximum ?? below };
}

/**
 * Why an input refuses a value, or null. Says what the server's check would say of a written value; whether a link fits
 * is for `refusal` to say, and whether a file or a model is there for the server.
 */
export function checkValue(port: InputPort, value: Json | undefined): ValueProblem | null {
  if (value === undefined) return port.required ? problem("value.missing") : null;
  if (readLink(value) !== null) return null;
  const { schema } = port;
  if (schema !== null) return checkForms(formsOf(schema, schema), value, schema);
  if (hasLinks(value) || (value === null && !port.required)) return null;
  return problem("value.linkOnly");
}

function problem(key: ValueKey, params: Params = {}): ValueProblem {
  return { key, params };
}

function checkForms({ forms, nullable }: Forms, value: Json, root: JsonSchema): ValueProblem | null {
  if (value === null && nullable) return null;
  if (forms.length === 0) return problem("value.nothing");
  const found = forms.map((form) => checkForm(form, value, root));
  if (found.includes(null)) return null;
  const [only] = found;
  if (found.length === 1 && only) return only;
  // Of several forms the one that the value has the type of is meant.
  const meant = forms.findIndex((form) => typeProblem(form, value) === null);
  return found[meant] ?? problem("value.none");
}

function checkForm(form: JsonSchema, value: Json, root: JsonSchema): ValueProblem | null {
  const wrong = typeProblem(form, value);
  if (wrong !== null) return wrong;
  const choices = choicesOf(form);
  if (choices !== null && !choices.some((choice) => sameJson(choice, value))) {
    return problem("value.choice", { values: choices.map(shown).join(", ") });
  }
  if (typeof value === "number") return checkNumber(form, value);
  if (typeof value === "string") return checkText(form, value);
  if (Array.isArray(value)) return checkList(form, value, root);
  return typeof value === "object" && value !== null ? checkObject(form, value, root) : null;
}

function shown(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function typeProblem({ type }: JsonSchema, value: Json): ValueProblem | null {
  switch (type) {
    case "integer":
      return Number.isInteger(value) ? null : problem("value.integer");
    case "number":
      return Number.isFinite(value) ? null : problem("value.number");
    case "string":
      return typeof value === "string" ? null : problem("value.text");
    case "boolean":
      return typeof value === "boolean" ? null : problem("value.toggle");
    case "array":
      return Array.isArray(value) ? null : problem("value.list");
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value) ? null : problem("value.object");
    case "null":
      return value === null ? null : problem("value.nothing");
    default:
      return null;
  }
}

function checkNumber(form: JsonSchema, value: number): ValueProblem | null {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = form;
  if (minimum !== undefined && value < minimum) return problem("value.min", { min: minimum });
  if (maximum !== undefined && value > maximum) return problem("value.max", { max: maximum });
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum)
    return problem("value.above", { min: exclusiveMinimum });
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum)
    return problem("value.below", { max: exclusiveMaximum });
  if (form.type === "integer" && !Number.isSafeInteger(value)) {
    return problem("value.unsafe", { max: Number.MAX_SAFE_INTEGER });
  }
  if (multipleOf !== undefined && !isMultiple(value, multipleOf)) return problem("value.step", { step: multipleOf });
  return null;
}

/** As pydantic, which allows for what floating point loses. */
function isMultiple(value: number, step: number): boolean {
  const left = Math.abs(value % step);
  return left === 0 || Math.min(left, Math.abs(step) - left) <= Math.abs(value) / 1e9;
}

function checkText(form: JsonSchema, value: string): ValueProblem | null {
  const length = [...value].length;
  if (form.minLength !== undefined && length < form.minLength) return problem("value.short", { min: form.minLength });
  if (form.maxLength !== undefined && length > form.maxLength) return problem("value.long", { max: form.maxLength });
  if (form.pattern !== undefined && !matches(form.pattern, value))
    return problem("value.pattern", { pattern: form.pattern });
  return null;
}

function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true; // a pattern that only Python reads is left to the server
  }
}

function checkList(form: JsonSchema, value: Json[], root: JsonSchema): ValueProblem | null {
  if (form.minItems !== undefined && value.length < form.minItems)
    return problem("value.fewItems", { min: form.minItems });
  if (form.maxItems !== undefined && value.length > form.maxItems)
    return problem("value.manyItems", { max: form.maxItems });
  for (const [place, item] of value.entries()) {
    const schema = form.prefixItems?.[place] ?? form.items;
    const found = schema && readLink(item) === null ? checkForms(formsOf(schema, root), item, root) : null;
    if (found !== null) return found;
  }
  return null;
}

function checkObject(form: JsonSchema, value: { [key: string]: Json }, root: JsonSchema): ValueProblem | null {
  const missing = form.required?.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) return problem("value.missingKey", { name: missing });
  for (const [name, item] of Object.entries(value)) {
    const known = form.properties && Object.hasOwn(form.properties, name) ? form.properties[name] : undefined;
    const schema = known ?? form.additionalProperties;
    if (schema === false) return problem("value.unknownKey", { name });
    const found = typeof schema === "object" ? checkForms(formsOf(schema, root), item, root) : null;
    if (found !== null) return found;
  }
  return null;
}
