import { ApiError, api } from "./api";

/** Names that graphs have, as far as it is known here. */
export const knownNames = new Set<string>();

let shipped: ReadonlySet<string> = new Set();

/** The names of graphs that come with Patchbay and have no copy of the person's own, as they were last learned. */
export function shippedNames(): ReadonlySet<string> {
  return shipped;
}

/** Ask which names are taken. Without an answer the server's refusal of a taken one leads to the next. */
export async function learnNames(): Promise<void> {
  try {
    const entries = await api.graphs();
    shipped = new Set(entries.filter((entry) => entry.shipped).map(({ name }) => name));
    for (const { name } of entries) {
      knownNames.add(name);
    }
  } catch (error) {
    if (!(error instanceof ApiError)) {
      throw error;
    }
  }
}
