import type { GraphDocument } from "../graph/document";
import type { SavedGraph } from "./api";
import type { Draft } from "./drafts";

/** Where the graph's newest state is: on the server, on its way, or held up. */
export interface SaveState {
  state: "saved" | "waiting" | "saving" | "offline" | "conflict" | "refused";
  /** Why it is held up, as a sentence. */
  problem?: string;
}

/** What a graph is when a saver takes it over. */
export interface Sheet {
  name: string;
  document: GraphDocument;
  /** The version that the document is based on; null for a graph that the server does not have. */
  etag: string | null;
  /** Whether the document holds what that version does not. */
  dirty: boolean;
  /** A new graph, which may take another name when its own is taken. */
  fresh?: boolean;
  /** The draft that the document was restored from. */
  draft?: Draft;
}

/** Who listens to a saver. */
export interface SaverHost {
  /** Its state has changed. With "conflict": what the server has, null when the graph was deleted there. */
  tell(save: SaveState, theirs: SavedGraph | null): void;
  /** A new graph had to take another name. */
  rename(name: string): void;
  /** The server has a newer version, and there is nothing here that it does not know. */
  newer(saved: SavedGraph): void;
  /** The browser cannot keep a draft: until it is saved the work is only in this page. */
  unkept(): void;
  /** It was saved. */
  saved(name: string, etag: string): void;
}
