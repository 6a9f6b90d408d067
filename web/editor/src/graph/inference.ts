import { type Catalog, type InputPort, inputOf, type Json, type NodeType, outputOf, type TypeJson } from "./catalog";
import type { GraphDocument, GraphNode, Port } from "./document";
import { portPath } from "./names";
import { inputValue } from "./nodes";
import { ordered } from "./order";
import { isOpen, mayBeList, ownKinds, scoped } from "./ports";
import { modelPort, valueIn } from "./schema";
import { type Known, Sources, type TypeGiven } from "./sources";
import { Ties } from "./ties";
import { Bindings, type Fit, fits, kindsClash, typeKey, typeLabel, typeOfValue } from "./types";

/** Kinds by the name of the model; one that is not known says nothing. */
export type KindOfModel = ReadonlyMap<string, string>;

/** A link whose types do not fit. */
export interface Misfit {
  at: Port;
  clash: boolean;
  wanted: string;
  given: string;
}

/** A map laid over another one, which stays as it is. */
class Overlay<T> implements Known<T> {
  readonly #own = new Map<string, T>();
  readonly #below: Known<T>;

  constructor(below: Known<T>) {
    this.#below = below;
  }

  get(path: string): T | undefined {
    return this.#own.get(path) ?? this.#below.get(path);
  }

  set(path: string, value: T): void {
    this.#own.set(path, value);
  }
}

/**
 * The types of one graph: what the server's check (engine/check.py) does with links and kinds, node by node in
 * topological order. Types of outputs keep their kind variables, which stand for the same kind wherever they are.
 */
export class Inference {
  readonly #sources: Sources;
  readonly #models: KindOfModel;
  readonly #bindings = new Bindings();
  readonly #ties = new Ties();
  readonly #outputs = new Map<string, TypeJson>();
  readonly #fits = new Map<string, Fit>();
  readonly #consumers = new Map<string, Port[]>();
  /** Links that do not fit, by the path of their input. */
  readonly misfits = new Map<string, Misfit>();
  /** Whether links go in a circle. */
  readonly circular: boolean;

  constructor(nodes: GraphDocument["nodes"], catalog: Catalog, models: KindOfModel) {
    this.#sources = new Sources(nodes, catalog);
    this.#models = models;
    const { order, circular } = ordered(nodes);
    this.circular = circular;
    for (const id of order) this.#visit(id);
  }

  /** A port's type as far as it is known, or null for a port that is not known. */
  type(port: Port, side: "in" | "out"): TypeJson | null {
    const type = this.#sources.type(port.node);
    const declared = side === "in" ? inputOf(type, port.port) : outputOf(type, port.port);
    if (declared === undefined) return null;
    const known = side === "out" ? this.#outputs.get(portPath(port)) : undefined;
    return this.#bindings.resolve(known ?? scoped(declared.type, port.node));
  }

  /** How the link to an input works; null where there is none, or where it does not. */
  fit(to: Port): Fit | null {
    return this.#fits.get(portPath(to)) ?? null;
  }

  /** Whether the server looks at the links of this node: it is neither muted, bypassed nor kept from running. */
  checks(id: string): boolean {
    return this.#sources.node(id)?.state == null && !this.#sources.absent.has(id);
  }

  /** What would not fit if an input were given `raw` besides what it is given; null where everything does. */
  judge(to: Port, raw: Json): Misfit | null {
    const mark = this.#bindings.mark();
    try {
      return this.#spread(to, raw);
    } finally {
      this.#bindings.undo(mark);
    }
  }

  /** What would not fit for its kind if an input were given `raw` in place of its link; null where it may fit. */
  judgeInPlace(to: Port, raw: Json): Misfit | null {
    const port = inputOf(this.#sources.type(to.node), to.port);
    const given = port && this.#sources.given(raw, this.#outputs);
    if (port === undefined || given?.is !== "type") return null;
    const alone = new Bindings();
    const wanted = scoped(port.type, to.node);
    if (fits(given.type, wanted, alone) === null) return null;
    for (const pair of alone.pairs()) {
      const clash = this.#ties.clash(pair, portPath(to));
      if (clash === null) continue;
      const [left, right] = [given.type, wanted].map((type) => typeLabel(this.#bindings.resolve(type)));
      return { at: to, clash: true, wanted: right ?? "", given: left ?? "" };
    }
    return null;
  }

  #visit(id: string): void {
    const node = this.#sources.node(id);
    const type = this.#sources.type(id);
    if (node?.state === "mute") this.#sources.absent.add(id);
    if (node === undefined || type === undefined || node.state != null) return;
    for (const port of type.inputs) this.#visitInput(id, node, port);
    if (this.#sources.absent.has(id)) return;
    this.#bindKind(id, node, type);
    const many = type.inputs.some((port) => this.#fits.get(`${id}.${port.name}`) === "map");
    for (const output of type.outputs) {
      const given = this.#bindings.resolveGeneral(scoped(output.type, id));
      this.#outputs.set(`${id}.${output.name}`, many ? { is: "list", item: given } : given);
    }
  }

  #visitInput(id: string, node: GraphNode, port: InputPort): void {
    const raw = valueIn(node, port);
    if (raw === undefined) return;
    const given = this.#sources.given(raw, this.#outputs);
    if (given?.is === "absent") {
      if (port.required) this.#sources.absent.add(id);
    } else if (given?.is === "value") {
      const general = port.type.is === "variable" || port.type.is === "list";
      if (general) fits(typeOfValue(given.value), scoped(port.type, id), this.#bindings);
    } else if (given !== null) {
      this.#visitLink({ node: id, port: port.name }, port, given);
    }
  }

  #visitLink(to: Port, port: InputPort, given: TypeGiven): void {
    for (const source of given.sources) {
      const consumers = this.#consumers.get(portPath(source));
      if (consumers === undefined) this.#consumers.set(portPath(source), [to]);
      else consumers.push(to);
    }
    const mark = this.#bindings.mark();
    const misfit = this.#admit(to, port, given, this.#fits);
    if (misfit !== null) this.misfits.set(portPath(to), misfit);
    // What comes through a variable of any type has forgotten which links it owes its kind to.
    else if (!given.sources.some((source) => this.#isOpen(source))) {
      this.#ties.add(portPath(to), this.#bindings.pairs(mark));
    }
  }

  #isOpen(source: Port): boolean {
    const output = outputOf(this.#sources.type(source.node), source.port);
    return output === undefined || isOpen(output.type);
  }

  #bindKind(id: string, node: GraphNode, type: NodeType): void {
    const port = modelPort(type);
    const raw = port && valueIn(node, port);
    const given = raw === undefined ? null : this.#sources.given(raw, this.#outputs);
    const name = given?.is === "value" && typeof given.value === "string" ? this.#models.get(given.value) : undefined;
    if (name === undefined) return;
    const kind: TypeJson = { is: "kind", name };
    for (const variable of ownKinds(type)) {
      const own: TypeJson = { is: "variable", name: `${id}.${variable}`, kind: true, within: [] };
      if (this.#bindings.unify(kind, own)) this.#ties.add("", [[kind, own]]);
    }
  }

  #admit(to: Port, port: InputPort, given: TypeGiven, found: Overlay<Fit> | Map<string, Fit>): Misfit | null {
    const wanted = scoped(port.type, to.node);
    const how = given.list && !mayBeList(port.type) ? null : fits(given.type, wanted, this.#bindings);
    if (how !== null && !(how === "map" && port.lazy)) {
      found.set(portPath(to), how);
      return null;
    }
    const left = this.#bindings.resolve(given.type);
    const right = this.#bindings.resolve(wanted);
    return { at: to, clash: kindsClash(left, right), wanted: typeLabel(right), given: typeLabel(left) };
  }

  /** A link can change what its node gives: by a variable of any type, or by making it run once for each item. */
  #spread(to: Port, raw: Json): Misfit | null {
    const outputs = new Overlay(this.#outputs);
    const found = new Overlay(this.#fits);
    const first = this.#readmit(to, raw, outputs, found);
    if (first !== null || this.circular) return first;
    const queue = [to.node];
    for (const id of queue) {
      for (const source of this.#moved(id, outputs, found)) {
        for (const consumer of this.#consumers.get(source) ?? []) {
          const value = inputValue(this.#sources.node(consumer.node), consumer.port);
          const misfit = value === undefined ? null : this.#readmit(consumer, value, outputs, found);
          if (misfit === null) queue.push(consumer.node);
          else if (!this.misfits.has(portPath(consumer))) return misfit;
        }
      }
    }
    return null;
  }

  #readmit(to: Port, raw: Json, outputs: Known<TypeJson>, found: Overlay<Fit> | Map<string, Fit>): Misfit | null {
    const port = inputOf(this.#sources.type(to.node), to.port);
    const given = port && this.#sources.given(raw, outputs);
    return port && given?.is === "type" ? this.#admit(to, port, given, found) : null;
  }

  /** The outputs of a node whose type is another one now. Kinds are the same everywhere at once and need no telling. */
  #moved(id: string, outputs: Overlay<TypeJson>, found: Known<Fit>): string[] {
    const type = this.#sources.type(id);
    if (type === undefined) return [];
    const many = type.inputs.some((port) => found.get(`${id}.${port.name}`) === "map");
    return type.outputs.flatMap((output) => {
      const path = `${id}.${output.name}`;
      const before = outputs.get(path);
      const item = this.#bindings.resolveGeneral(scoped(output.type, id));
      const now: TypeJson = many ? { is: "list", item } : item;
      if (
        before === undefined ||
        typeKey(this.#bindings.resolveKinds(before)) === typeKey(this.#bindings.resolveKinds(now))
      )
        return [];
      outputs.set(path, now);
      return [path];
    });
  }
}
