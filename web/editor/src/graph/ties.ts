import type { TypeJson } from "./catalog";
import { typeKey } from "./types";

interface Tie {
  other: TypeJson;
  by: string;
}

/** Which kinds have been made the same by which link, so that one link can be thought away. */
export class Ties {
  readonly #ties = new Map<string, Tie[]>();

  /** Notes kinds that are the same, two and two, because of the link into an input. */
  add(by: string, pairs: readonly (readonly [TypeJson, TypeJson])[]): void {
    for (const [one, other] of pairs) {
      this.#addTo(one, { other, by });
      this.#addTo(other, { other: one, by });
    }
  }

  #addTo(kind: TypeJson, tie: Tie): void {
    if (kind.is !== "variable") return;
    const key = typeKey(kind);
    const ties = this.#ties.get(key);
    if (ties === undefined) this.#ties.set(key, [tie]);
    else ties.push(tie);
  }

  /** Two different kinds that some kinds would have to be at once, without the link into `by`; null where there are none. */
  clash(kinds: readonly TypeJson[], by: string): [TypeJson, TypeJson] | null {
    let found: TypeJson | null = null;
    const seen = new Map(kinds.map((kind) => [typeKey(kind), kind]));
    for (const [key, kind] of seen) {
      if (kind.is === "kind") {
        if (found !== null && typeKey(found) !== key) return [found, kind];
        found = kind;
      }
      for (const tie of this.#ties.get(key) ?? []) if (tie.by !== by) seen.set(typeKey(tie.other), tie.other);
    }
    return null;
  }
}
