import type { Json, TypeJson } from "./catalog";

export type { TypeJson } from "./catalog";

/** How a link works: as it is, as a list of one, or once for each item of the list. */
export type Fit = "direct" | "wrap" | "map";

type VariableType = Extract<TypeJson, { is: "variable" }>;
type ChoiceType = Extract<TypeJson, { is: "choice" }>;
type UnionType = Extract<TypeJson, { is: "union" }>;

export const ANYTHING: TypeJson = { is: "anything" };
const NULL: TypeJson = { is: "scalar", name: "null" };

/** How many choices a sentence can hold. */
const FEW = 6;

const keys = new WeakMap<TypeJson, string>();

/** A text that two types share exactly when they are the same type. */
export function typeKey(type: TypeJson): string {
  const known = keys.get(type);
  if (known !== undefined) return known;
  const key = writeKey(type);
  keys.set(type, key);
  return key;
}

function writeKey(type: TypeJson): string {
  switch (type.is) {
    case "scalar":
    case "kind":
      return `${type.is} ${JSON.stringify(type.name)}`;
    case "choice":
      return `choice(${type.values.map(choiceKey).join()})`;
    case "named":
      return `named ${JSON.stringify([type.name, ...type.bases])}(${type.args.map(typeKey).join()})`;
    case "variable":
      return `variable ${type.kind} ${JSON.stringify(type.name)}(${type.within.map(typeKey).join()})`;
    case "list":
      return `list(${typeKey(type.item)})`;
    case "union":
      return `union(${type.members.map(typeKey).join()})`;
    case "anything":
      return "anything";
  }
}

/** Whether two types are the same type. */
export function sameType(left: TypeJson, right: TypeJson): boolean {
  return left === right || typeKey(left) === typeKey(right);
}

/** What Python calls the type of a literal. JSON as a browser reads it cannot tell 1.0 from 1: both are "int". */
function literalName(value: Json): string {
  if (value === null) return "NoneType";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float";
  return "str";
}

function choiceKey(value: Json): string {
  return `${literalName(value)} ${JSON.stringify(value)}`;
}

/** The members of a union, or the type itself. */
export function membersOf(type: TypeJson): readonly TypeJson[] {
  return type.is === "union" ? type.members : [type];
}

/** The union of types: flattened, without duplicates, a single member standing for itself. */
export function union(types: Iterable<TypeJson>): TypeJson {
  const flat = new Map<string, TypeJson>();
  for (const type of types) for (const member of membersOf(type)) flat.set(typeKey(member), member);
  if (flat.has("anything")) return ANYTHING;
  const members = [...flat.values()];
  return members.length === 1 && members[0] !== undefined ? members[0] : { is: "union", members };
}

/** The narrowest type of a JSON value. */
export function typeOfValue(value: Json): TypeJson {
  if (value === null) return NULL;
  if (Array.isArray(value)) return { is: "list", item: value.length ? union(value.map(typeOfValue)) : ANYTHING };
  if (typeof value === "object") return { is: "scalar", name: "object" };
  if (typeof value === "number" && !Number.isInteger(value)) return { is: "scalar", name: "float" };
  return { is: "choice", values: [value] };
}

const generics = new WeakMap<TypeJson, boolean>();

/** Whether a type has variables. */
export function isGeneric(type: TypeJson): boolean {
  const known = generics.get(type);
  if (known !== undefined) return known;
  const found = type.is === "variable" || partsOf(type).some(isGeneric);
  generics.set(type, found);
  return found;
}

function partsOf(type: TypeJson): readonly TypeJson[] {
  switch (type.is) {
    case "named":
      return type.args;
    case "union":
      return type.members;
    case "list":
      return [type.item];
    default:
      return [];
  }
}

function sameParts(some: readonly TypeJson[], others: readonly TypeJson[]): boolean {
  return some.every((part, place) => part === others[place]);
}

/** The type with every variable replaced; the same object where none changes. */
export function substitute(type: TypeJson, replace: (variable: VariableType) => TypeJson): TypeJson {
  if (!isGeneric(type)) return type;
  switch (type.is) {
    case "variable":
      return replace(type);
    case "named": {
      const args = type.args.map((arg) => substitute(arg, replace));
      return sameParts(args, type.args) ? type : { ...type, args };
    }
    case "list": {
      const item = substitute(type.item, replace);
      return item === type.item ? type : { is: "list", item };
    }
    case "union": {
      const members = type.members.map((member) => substitute(member, replace));
      return sameParts(members, type.members) ? type : union(members);
    }
    default:
      return type;
  }
}

/** A variable that stood for something else before, or two kinds that were found or made the same. */
type Change = { key: string; before: TypeJson | undefined } | { pair: [TypeJson, TypeJson] };

/**
 * What type variables stand for in one graph: kinds by unification, other variables by the union of what came.
 * Every change is logged, so that a rule that turns out not to fit is taken back without copying.
 */
export class Bindings {
  readonly #known = new Map<string, TypeJson>();
  readonly #log: Change[] = [];

  /** A point to go back to. */
  mark(): number {
    return this.#log.length;
  }

  /** Forgets everything bound since `mark`. */
  undo(mark: number): void {
    for (const change of this.#log.splice(mark).reverse()) {
      if ("pair" in change) continue;
      if (change.before === undefined) this.#known.delete(change.key);
      else this.#known.set(change.key, change.before);
    }
  }

  /** The kinds that were made the same since `mark`, two and two as they came. */
  pairs(mark = 0): [TypeJson, TypeJson][] {
    return this.#log.slice(mark).flatMap((change) => ("pair" in change ? [change.pair] : []));
  }

  #set(variable: TypeJson, type: TypeJson): void {
    const key = typeKey(variable);
    this.#log.push({ key, before: this.#known.get(key) });
    this.#known.set(key, type);
  }

  /** What a kind variable stands for now: a kind, or the variable that represents it. */
  find(type: TypeJson): TypeJson {
    let found = type;
    while (found.is === "variable") {
      const next = this.#known.get(typeKey(found));
      if (next === undefined) break;
      found = next;
    }
    return found;
  }

  /** Makes two kinds the same; false where they are already different. */
  unify(one: TypeJson, other: TypeJson): boolean {
    const left = this.find(one);
    const right = this.find(other);
    const same = sameType(left, right) || left.is === "anything" || right.is === "anything";
    if (!same && right.is !== "variable" && left.is !== "variable") return false;
    this.#log.push({ pair: [one, other] });
    if (same) return true;
    if (right.is === "variable") this.#set(right, left);
    else this.#set(left, right);
    return true;
  }

  /** Lets a general variable stand for one type more. */
  widen(variable: VariableType, type: TypeJson): void {
    if (sameType(variable, type)) return;
    const known = this.#known.get(typeKey(variable));
    this.#set(variable, known === undefined ? type : join(known, type));
  }

  /** The type with every bound variable replaced; an unbound one stays. */
  resolve(type: TypeJson): TypeJson {
    return substitute(type, (variable) =>
      variable.kind ? this.find(variable) : (this.#known.get(typeKey(variable)) ?? variable),
    );
  }

  /** The type with its general variables replaced, and kinds as they are. */
  resolveGeneral(type: TypeJson): TypeJson {
    return substitute(type, (variable) =>
      variable.kind ? variable : (this.#known.get(typeKey(variable)) ?? variable),
    );
  }

  /** The type with its kinds replaced, and other variables as they are. */
  resolveKinds(type: TypeJson): TypeJson {
    return substitute(type, (variable) => (variable.kind ? this.find(variable) : variable));
  }
}

function join(left: TypeJson, right: TypeJson): TypeJson {
  if (subtype(left, right, new Bindings())) return right;
  return subtype(right, left, new Bindings()) ? left : union([left, right]);
}

/** Whether every value of `output` is one of `wanted`. Binds variables as far as it gets, also when it fails. */
export function subtype(output: TypeJson, wanted: TypeJson, bindings: Bindings): boolean {
  if (output.is === "anything" || wanted.is === "anything" || sameType(output, wanted)) return true;
  if (wanted.is === "variable" || output.is === "variable") return bind(output, wanted, bindings);
  if (output.is === "union") return output.members.every((member) => subtype(member, wanted, bindings));
  if (wanted.is === "union") return fitsAMember(output, wanted, bindings);
  if (output.is === "choice") return choiceFits(output, wanted);
  if (output.is === "scalar") return output.name === "int" && wanted.is === "scalar" && wanted.name === "float";
  if (output.is === "list" && wanted.is === "list") return subtype(output.item, wanted.item, bindings);
  if (output.is !== "named" || wanted.is !== "named") return false;
  if (wanted.name !== output.name && !output.bases.includes(wanted.name)) return false;
  return output.args.every((arg, place) => {
    const other = wanted.args[place];
    return other === undefined || bindings.unify(arg, other);
  });
}

function bind(output: TypeJson, wanted: TypeJson, bindings: Bindings): boolean {
  const kinds = output.is === "kind" || (output.is === "variable" && output.kind);
  if (kinds || (wanted.is === "variable" && wanted.kind)) return bindings.unify(output, wanted);
  if (wanted.is === "variable") {
    const found = bindings.resolve(output);
    if (wanted.within.length && !subtype(found, union(wanted.within), bindings)) return false;
    bindings.widen(wanted, found);
  }
  return true;
}

function fitsAMember(output: TypeJson, wanted: UnionType, bindings: Bindings): boolean {
  const mark = bindings.mark();
  return wanted.members.some((member) => {
    if (subtype(output, member, bindings)) return true;
    bindings.undo(mark);
    return false;
  });
}

function choiceFits(output: ChoiceType, wanted: TypeJson): boolean {
  if (wanted.is === "choice") {
    const allowed = new Set(wanted.values.map(choiceKey));
    return output.values.every((value) => allowed.has(choiceKey(value)));
  }
  return (
    wanted.is === "scalar" &&
    output.values.map(literalName).every((name) => name === wanted.name || (name === "int" && wanted.name === "float"))
  );
}

/** How `output` may be linked to an input of type `wanted`, or null. Binds variables only when it fits. */
export function fits(output: TypeJson, wanted: TypeJson, bindings: Bindings): Fit | null {
  const attempts: [Fit, TypeJson, TypeJson][] = [["direct", output, wanted]];
  if (output.is !== "list") {
    for (const part of membersOf(wanted)) if (part.is === "list") attempts.push(["wrap", output, part.item]);
  } else if (wanted.is !== "list") {
    attempts.push(["map", output.item, wanted]);
  }
  const mark = bindings.mark();
  for (const [how, given, target] of attempts) {
    if (subtype(given, target, bindings)) return how;
    bindings.undo(mark);
  }
  return null;
}

/** Whether two types differ in nothing but their kind: the reason a person needs to hear. */
export function kindsClash(output: TypeJson, wanted: TypeJson): boolean {
  if (output.is === "list") return kindsClash(output.item, wanted);
  if (wanted.is === "list") return kindsClash(output, wanted.item);
  if (wanted.is === "union") return wanted.members.some((member) => kindsClash(output, member));
  if (output.is !== "named" || wanted.is !== "named") return false;
  const same = output.args.map(typeKey).join() === wanted.args.map(typeKey).join();
  return !same && (wanted.name === output.name || output.bases.includes(wanted.name));
}

/** The type as the server writes it for people, e.g. "list of Latent[sd1]". */
export function typeLabel(type: TypeJson): string {
  switch (type.is) {
    case "scalar":
      return type.name === "str" ? "text" : type.name === "null" ? "nothing" : type.name;
    case "kind":
      return type.name;
    case "choice":
      return type.values.length > FEW ? `one of ${type.values.length} names` : type.values.map(literal).join(" or ");
    case "named": {
      const known = type.args.filter((arg) => arg.is !== "variable").map(typeLabel);
      return known.length ? `${type.name}[${known.join(", ")}]` : type.name;
    }
    case "variable":
      return type.name.slice(type.name.lastIndexOf(".") + 1);
    case "list":
      return `list of ${typeLabel(type.item)}`;
    case "union":
      return type.members.map(typeLabel).join(" or ");
    case "anything":
      return "anything";
  }
}

/** A literal as Python writes it. */
function literal(value: Json): string {
  if (typeof value !== "string")
    return value === null ? "None" : value === true ? "True" : value === false ? "False" : String(value);
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const escaped = value
    .replaceAll("\\", "\\\\")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t");
  return quote + (quote === "'" ? escaped.replaceAll("'", "\\'") : escaped) + quote;
}
