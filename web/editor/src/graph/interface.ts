import { type Catalog, type InputPort, inputOf, type Json, type OutputPort, outputOf, typeOf } from "./catalog";
import type { GraphDocument, Interface, Port } from "./document";
import { EditError } from "./errors";
import { freeName, portPath, readPort } from "./names";
import { nodeOf } from "./nodes";
import { entry, renamed, withEntry, without, withPart } from "./records";
import { valueIn } from "./schema";

type Side = keyof Interface;

/** An input of the form: `value` is undefined where it has none and no default, and is a link where it is linked. */
export interface FormInput {
  name: string;
  port: Port;
  type: InputPort;
  value: Json | undefined;
}

/** An output of the form. */
export interface FormOutput {
  name: string;
  port: Port;
  type: OutputPort;
}

/** The inputs that the form shows, in the interface's order; those of unknown nodes or ports are left out. */
export function formOf(doc: GraphDocument, catalog: Catalog): FormInput[] {
  return Object.entries(doc.interface?.inputs ?? {}).flatMap(([name, path]) => {
    const port = readPort(path);
    const node = entry(doc.nodes, port.node);
    const type = node && inputOf(typeOf(catalog, node.type), port.port);
    return node && type ? [{ name, port, type, value: valueIn(node, type) }] : [];
  });
}

/** The outputs that the form shows, in the interface's order; those of unknown nodes or ports are left out. */
export function outputsOf(doc: GraphDocument, catalog: Catalog): FormOutput[] {
  return Object.entries(doc.interface?.outputs ?? {}).flatMap(([name, path]) => {
    const port = readPort(path);
    const node = entry(doc.nodes, port.node);
    const type = node && outputOf(typeOf(catalog, node.type), port.port);
    return type ? [{ name, port, type }] : [];
  });
}

/** The first name under which a port is public, or null. */
export function publicName(doc: GraphDocument, side: Side, port: Port): string | null {
  const path = portPath(port);
  const found = Object.entries(doc.interface?.[side] ?? {}).find(([, other]) => other === path);
  return found === undefined ? null : found[0];
}

/** Makes an input public under a name; without one under the port's own, or the first that is free. */
export function exposeInput(doc: GraphDocument, port: Port, name?: string): GraphDocument {
  return expose(doc, "inputs", port, name);
}

/** Makes an output public under a name; without one under the port's own, or the first that is free. */
export function exposeOutput(doc: GraphDocument, port: Port, name?: string): GraphDocument {
  return expose(doc, "outputs", port, name);
}

function expose(doc: GraphDocument, side: Side, port: Port, wish?: string): GraphDocument {
  nodeOf(doc, port.node);
  if (publicName(doc, side, port) !== null) return doc;
  const taken = (name: string) => entry(doc.interface?.[side], name) !== undefined;
  const name = wish === undefined ? freeName(port.port, taken) : checkedName(wish);
  if (taken(name)) throw new EditError("edit.takenName", { name });
  return { ...doc, interface: { ...doc.interface, [side]: withEntry(doc.interface?.[side], name, portPath(port)) } };
}

function checkedName(wish: string): string {
  const name = wish.trim();
  if (name === "") throw new EditError("edit.badName", { name });
  return name;
}

/** Takes an input out of the interface. */
export function hideInput(doc: GraphDocument, port: Port): GraphDocument {
  return hide(doc, "inputs", port);
}

/** Takes an output out of the interface. */
export function hideOutput(doc: GraphDocument, port: Port): GraphDocument {
  return hide(doc, "outputs", port);
}

function hide(doc: GraphDocument, side: Side, port: Port): GraphDocument {
  const ports = doc.interface?.[side];
  if (publicName(doc, side, port) === null || ports === undefined) return doc;
  const path = portPath(port);
  return withSide(
    doc,
    side,
    without(ports, (_, other) => other === path),
  );
}

function withSide(doc: GraphDocument, side: Side, ports: Record<string, string>): GraphDocument {
  return withPart(doc, "interface", withPart({ ...doc.interface }, side, ports));
}

/** Gives a public port another name; its place in the form stays. */
export function renamePublic(doc: GraphDocument, side: Side, from: string, to: string): GraphDocument {
  const ports = doc.interface?.[side];
  if (ports === undefined || !Object.hasOwn(ports, from)) throw new EditError("edit.unknownName", { name: from });
  const name = checkedName(to);
  if (name === from) return doc;
  if (Object.hasOwn(ports, name)) throw new EditError("edit.takenName", { name });
  return withSide(
    doc,
    side,
    renamed(ports, (other) => (other === from ? name : other)),
  );
}
