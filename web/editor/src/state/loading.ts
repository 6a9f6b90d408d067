import { createHistory, type History, record } from "../graph/history";
import type { TextKey } from "../text/text";
import { ApiError, api, type SavedGraph } from "./api";
import { markOf, sameContent } from "./content";
import { type Draft, draftsOf, dropDrafts } from "./drafts";
import type { Sheet } from "./sheet";
import { useUi } from "./ui";

/** A graph as it is to be shown. `conflict` is there when draft and server have gone different ways. */
export interface Loaded {
  sheet: Sheet;
  history: History<TextKey>;
  conflict?: SavedGraph | null;
}

/**
 * A graph from the server, with the newest draft of it that holds what the server does not have. Null when there is
 * neither. A draft of a deleted graph is a conflict, never a silent return of the graph. Raises `ApiError`.
 */
export async function loadSheet(name: string): Promise<Loaded | null> {
  const saved = await readSaved(name, draftsOf(name).length > 0);
  const drafts = draftsOf(name); // after the wait: another tab may have saved what it had
  const told = typeof saved === "object" && saved !== null;
  const done = told ? drafts.filter((draft) => sameContent(draft.document, saved.document)) : [];
  dropDrafts(done);
  const draft = drafts.find((item) => !done.includes(item));
  if (draft === undefined) {
    return told ? plain(name, saved) : null;
  }
  if (saved === "unknown" || (saved === null && draft.base === null)) {
    tellRestored(draft);
    return restored(name, draft, draft.base);
  }
  if (saved === null) {
    return { ...restored(name, draft, draft.base), conflict: null };
  }
  const based = draft.base === saved.etag || draft.sent === markOf(saved.document);
  if (!based) {
    return { ...restored(name, draft, draft.base, saved), conflict: saved };
  }
  tellRestored(draft);
  return restored(name, draft, saved.etag, saved);
}

/** What the server has: null for nothing, "unknown" when it cannot say and there is a draft to go on with. */
async function readSaved(name: string, drafted: boolean): Promise<SavedGraph | null | "unknown"> {
  try {
    return await api.graph(name);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) {
      return null;
    }
    if (drafted && error instanceof ApiError && (error.status === 0 || error.status >= 500)) {
      return "unknown";
    }
    throw error;
  }
}

function plain(name: string, { document, etag }: SavedGraph): Loaded {
  return { sheet: { name, document, etag, dirty: false }, history: createHistory<TextKey>(document) };
}

/** The draft as the newest state; what the server has is one undo away. */
function restored(name: string, draft: Draft, etag: string | null, saved?: SavedGraph): Loaded {
  const { document } = draft;
  const sheet: Sheet = { name, document, etag, dirty: true, fresh: etag === null, draft };
  const history = saved
    ? record(createHistory<TextKey>(saved.document), "edit.restore", document)
    : createHistory<TextKey>(document);
  return { sheet, history };
}

function tellRestored(draft: Draft): void {
  useUi.getState().toast("save.restored", { when: new Date(draft.at).toLocaleString() });
}
