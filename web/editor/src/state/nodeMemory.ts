import type { ServerEvent } from "./events";
import { heard, type NodeRuns } from "./nodeRuns";

/** So many runs are remembered. */
const REMEMBERED = 20;

/** Nothing is known of any node. */
export const NONE: NodeRuns = {};

/** What the nodes of the newest runs did, as far as it was heard here. It owns the previews' blob: URLs. */
export class NodeMemory {
  readonly #told = new Map<string, NodeRuns>();

  of(run: string | null): NodeRuns {
    return (run === null ? undefined : this.#told.get(run)) ?? NONE;
  }

  /** Take an event in. Whether it has changed what is known of its run. `shown` is not forgotten for it. */
  hear(event: ServerEvent, preview: Blob | undefined, shown: string | null): boolean {
    const { run } = event;
    if (run === null) {
      return false;
    }
    const known = this.of(run);
    const url = preview === undefined ? undefined : URL.createObjectURL(preview);
    const after = heard(known, event, url);
    if (after === known) {
      if (url !== undefined) {
        URL.revokeObjectURL(url);
      }
      return false;
    }
    this.#told.delete(run); // the newest stand last
    this.#told.set(run, after);
    release(known, after);
    this.#forgetOldest(shown);
    return true;
  }

  forget(run: string): void {
    release(this.of(run), NONE);
    this.#told.delete(run);
  }

  #forgetOldest(shown: string | null): void {
    for (const id of this.#told.keys()) {
      if (this.#told.size > REMEMBERED && id !== shown) {
        this.forget(id);
      }
    }
  }
}

/** Give back the pictures of previews that are seen no more. */
function release(known: NodeRuns, after: NodeRuns): void {
  for (const [id, { preview }] of Object.entries(known)) {
    if (preview !== undefined && after[id]?.preview !== preview) {
      URL.revokeObjectURL(preview);
    }
  }
}
