import type { Json, NodeType, TypeJson } from "./catalog";
import type { GraphNode } from "./document";
import { inputValue } from "./nodes";
import { Bindings, fits, isGeneric, membersOf, substitute } from "./types";

const scopes = new WeakMap<TypeJson, Map<string, TypeJson>>();

/** A node type's port type with its variables made the node's own. */
export function scoped(type: TypeJson, node: string): TypeJson {
  if (!isGeneric(type)) return type;
  let byNode = scopes.get(type);
  if (byNode === undefined) {
    byNode = new Map();
    scopes.set(type, byNode);
  }
  let found = byNode.get(node);
  if (found === undefined) {
    found = substitute(type, (variable) => ({ ...variable, name: `${node}.${variable.name}` }));
    byNode.set(node, found);
  }
  return found;
}

/** Whether an input takes a list as a whole and nothing else: links to it add up. */
export function takesList(type: TypeJson): boolean {
  const parts = membersOf(type).filter((part) => !(part.is === "scalar" && part.name === "null"));
  return parts.length > 0 && parts.every((part) => part.is === "list");
}

/** Whether an input may be written as a list of links. */
export function mayBeList(type: TypeJson): boolean {
  return membersOf(type).some((part) => part.is === "list" || part.is === "variable" || part.is === "anything");
}

/** What a bypassed node hands on in place of an output: its first input that fits it. */
export function handedOn(node: GraphNode, type: NodeType, output: TypeJson): Json | undefined {
  for (const port of type.inputs) {
    const raw = inputValue(node, port.name);
    if (raw !== undefined && fits(port.type, output, new Bindings()) === "direct") return raw;
  }
  return undefined;
}

function variablesOf(type: TypeJson, kind: boolean): string[] {
  const found: string[] = [];
  substitute(type, (variable) => {
    if (variable.kind === kind) found.push(variable.name);
    return variable;
  });
  return found;
}

/** The kinds that a node gives and does not take: it loads the model that it names. */
export function ownKinds(type: NodeType): string[] {
  const taken = new Set(type.inputs.flatMap((port) => variablesOf(port.type, true)));
  const given = new Set(type.outputs.flatMap((port) => variablesOf(port.type, true)));
  return [...given].filter((name) => !taken.has(name));
}

/** Whether what an output gives depends on a variable that can be any type, as If's value does. */
export function isOpen(type: TypeJson): boolean {
  return variablesOf(type, false).length > 0;
}
