import type { Catalog, InputPort, NodeType, TypeJson } from "../graph/catalog";
import { search } from "../graph/fuzzy";
import { Bindings, fits } from "../graph/types";

/** A node type in the palette, and the port that a waiting link would go to; null without one. */
export interface Offer {
  type: NodeType;
  port: string | null;
}

/** A port that a link hangs on, with its type as far as the graph tells it. */
export interface Origin {
  type: TypeJson;
  side: "in" | "out";
}

/** A found offer; `marks` are the letters of its name that match. */
export interface Found {
  offer: Offer;
  marks: readonly number[];
}

/** The node types that can be added, or, for a link, those that it fits, the closest first. */
export function offersFor(types: Catalog, origin: Origin | null): Offer[] {
  const all = Object.values(types);
  if (origin === null) {
    return all.map((type) => ({ type, port: null })).sort((a, b) => byCategory(a.type, b.type));
  }
  return all
    .flatMap((type) => {
      const port = portFor(type, origin);
      return port === null ? [] : [{ type, port: port.name, cost: costOf(port) }];
    })
    .sort((a, b) => a.cost - b.cost || byCategory(a.type, b.type))
    .map(({ type, port }) => ({ type, port }));
}

/** The offers that a text finds in names, categories and summaries. */
export function findOffers(offers: readonly Offer[], query: string): Found[] {
  const text = ({ type }: Offer) => [type.id, type.category, type.summary];
  return search(query, offers, { text }).map(({ item, marks }) => ({ offer: item, marks: marks[0] ?? [] }));
}

type AnyPort = Pick<InputPort, "name" | "type"> & Partial<InputPort>;

function portFor(type: NodeType, origin: Origin): AnyPort | null {
  const ports: readonly AnyPort[] = origin.side === "out" ? type.inputs : type.outputs;
  const fitting = ports.filter((port) =>
    origin.side === "out"
      ? fits(origin.type, port.type, new Bindings()) !== null
      : fits(port.type, origin.type, new Bindings()) !== null,
  );
  return fitting.sort((a, b) => costOf(a) - costOf(b))[0] ?? null;
}

/** Ports that take anything come last; what a node needs comes before what it can do without. */
function costOf(port: AnyPort): number {
  const vague = port.type.is === "anything" || port.type.is === "variable" || isVagueList(port.type);
  return (vague ? 4 : 0) + (port.required === false ? 2 : 0) + (port.dial ? 1 : 0);
}

function isVagueList(type: TypeJson): boolean {
  return type.is === "list" && (type.item.is === "anything" || type.item.is === "variable");
}

function byCategory(a: NodeType, b: NodeType): number {
  return a.category.localeCompare(b.category) || a.id.localeCompare(b.id);
}
