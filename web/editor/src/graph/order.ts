import type { GraphNode } from "./document";
import { readLink } from "./names";

/** The nodes that one node's links come from. */
export function* sourcesOf(node: GraphNode): Generator<string> {
  for (const value of Object.values(node.inputs ?? {})) {
    for (const item of Array.isArray(value) ? value : [value]) {
      const link = readLink(item);
      if (link !== null) yield link.node;
    }
  }
}

/**
 * Nodes so that each comes after those it is linked from, otherwise as in the document. In a circle some link points
 * back, and `circular` says so.
 */
export function ordered(nodes: Readonly<Record<string, GraphNode>>): { order: string[]; circular: boolean } {
  const order: string[] = [];
  const state = new Map<string, "open" | "done">();
  let circular = false;
  for (const first of Object.keys(nodes)) {
    const stack = state.has(first) ? [] : [walk(nodes, first, state)];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.sources.next();
      if (next.done) {
        state.set(top.id, "done");
        order.push(top.id);
        stack.pop();
      } else if (state.get(next.value) === "open") {
        circular = true;
      } else if (!state.has(next.value) && Object.hasOwn(nodes, next.value)) {
        stack.push(walk(nodes, next.value, state));
      }
    }
  }
  return { order, circular };
}

function walk(nodes: Readonly<Record<string, GraphNode>>, id: string, state: Map<string, "open" | "done">) {
  state.set(id, "open");
  return { id, sources: sourcesOf(nodes[id] ?? { type: "" }) };
}
