import type { GraphDocument } from "../graph/document";
import { ApiError, api, type SavedGraph } from "./api";
import { markOf, sameContent } from "./content";
import { nextName } from "./graphNames";
import { Keeper } from "./keeper";
import type { SaverHost, SaveState, Sheet } from "./sheet";
import { textOf } from "./ui";

/** So long after an edit it is saved. */
export const SAVE_DELAY = 600;

const FIRST_RETRY = 1000;
const LONGEST_RETRY = 30_000;

/** Answers that say nothing about the document: the server is not there, not well, or does not know us now. */
const PASSING = new Set([0, 401, 403, 408, 409, 421, 425, 429]);

/**
 * Keeps one open graph: every edit at once in the browser, and soon on the server, never over somebody else's change.
 * One request at a time; what it does not know the fate of (no answer came) it recognizes by its content.
 */
export class Saver {
  readonly #sheet: Sheet;
  readonly #host: SaverHost;
  readonly #keeper: Keeper;
  #state: SaveState["state"];
  #theirs: SavedGraph | null = null;
  /** Marks of what was sent and not answered. */
  readonly #sent = new Set<string>();
  #closed = false;
  #retries = 0;
  #work: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(sheet: Sheet, host: SaverHost) {
    this.#sheet = { ...sheet };
    this.#host = host;
    if (sheet.draft?.sent) {
      this.#sent.add(sheet.draft.sent);
    }
    const read = () => {
      const { document, etag } = this.#sheet;
      return { document, base: etag, sent: [...this.#sent].at(-1) ?? null };
    };
    this.#keeper = new Keeper(sheet.name, sheet.draft, read, () => host.unkept());
    this.#state = sheet.dirty ? "waiting" : "saved";
    if (sheet.dirty) {
      this.#keeper.now();
      this.#later(SAVE_DELAY);
    }
  }

  get name(): string {
    return this.#sheet.name;
  }

  get etag(): string | null {
    return this.#sheet.etag;
  }

  /** Whether closing the page now would lose something. */
  get atRisk(): boolean {
    return this.#sheet.dirty && !this.#keeper.isKept;
  }

  get isSaved(): boolean {
    return !this.#sheet.dirty;
  }

  /** The document is another one now. */
  changed(document: GraphDocument): void {
    this.#sheet.document = document;
    this.#sheet.dirty = true;
    this.#keeper.soon();
    if (this.#state === "conflict") {
      return;
    }
    if (this.#work === null) {
      this.#tell(this.#state === "offline" ? "offline" : "waiting");
      this.#later(SAVE_DELAY);
    }
  }

  /** Save what is not saved yet; resolves when it is, or when it cannot be now. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#work ??= this.#run().finally(() => {
      this.#work = null;
    });
    await this.#work;
  }

  /** The server may be there again. */
  nudge(): void {
    if (this.#state === "offline" && !this.#closed) {
      void this.flush();
    }
  }

  /** Look whether the server has a newer version. */
  async refresh(): Promise<void> {
    const { name, etag } = this.#sheet;
    if (etag === null || this.#work !== null || this.#state === "conflict" || this.#closed) {
      return;
    }
    const found = await api.graph(name, etag).catch((error: unknown) => (isMissing(error) ? "deleted" : null));
    const stale = this.#closed || this.#work !== null || this.#sheet.etag !== etag || this.#sheet.name !== name;
    if (found === null || stale) {
      return;
    }
    if (found === "deleted") {
      this.#conflict(null);
    } else if (this.#sheet.dirty) {
      void this.flush(); // it is refused, and the conflict told
    } else {
      this.#host.newer(found);
    }
  }

  /** Begin with a conflict: the draft and the server's version have gone different ways. */
  beginWithConflict(theirs: SavedGraph | null): void {
    this.#conflict(theirs);
  }

  /** Take what the server has as the newest state. */
  take(saved: SavedGraph): void {
    Object.assign(this.#sheet, { document: saved.document, etag: saved.etag });
    this.#theirs = null;
    this.#settle();
  }

  /** End a conflict by saving over the other version. */
  async insist(): Promise<void> {
    this.#sheet.etag = this.#theirs?.etag ?? null;
    this.#theirs = null;
    this.#tell("waiting");
    await this.flush();
  }

  /** Go on as another graph, which the server has under this name and version (null: not yet). */
  async move(name: string, etag: string | null): Promise<void> {
    Object.assign(this.#sheet, { etag, dirty: true, fresh: etag === null });
    this.#theirs = null;
    this.#sent.clear();
    this.#rename(name);
    this.#tell("waiting");
    await this.flush();
  }

  /** Write the draft that is due, before the page may go. */
  keepNow(): void {
    this.#keeper.due();
  }

  /** Stop. What is not saved stays as a draft; with `forget` not even that. */
  close(forget = false): void {
    if (forget) {
      this.#keeper.drop();
    }
    this.#keeper.close();
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    while (this.#sheet.dirty && this.#state !== "conflict" && !this.#closed) {
      const { document } = this.#sheet;
      const again = await this.#send(document).catch((error: unknown) => this.#failed(error, document));
      if (!again) {
        return;
      }
    }
  }

  /** One request. Whether to go on. */
  async #send(document: GraphDocument): Promise<boolean> {
    const { name, etag } = this.#sheet;
    this.#sent.add(markOf(document));
    this.#keeper.now();
    this.#tell("saving");
    const saved = await api.saveGraph(name, document, etag === null ? { none: true } : { match: etag });
    this.#retries = 0;
    this.#sent.clear();
    Object.assign(this.#sheet, { etag: saved.etag, fresh: false });
    this.#host.saved(name, saved.etag);
    if (this.#sheet.document === document) {
      this.#settle();
    } else if (!this.#closed) {
      this.#keeper.now();
    }
    return true;
  }

  /** What a failed request means. Whether to go on at once. */
  async #failed(error: unknown, document: GraphDocument): Promise<boolean> {
    const status = error instanceof ApiError ? error.status : 0;
    if (status === 412 || status === 428) {
      return this.#compare();
    }
    if (PASSING.has(status) || status >= 500) {
      this.#offline(error);
    } else {
      this.#tell("refused", textOf(error));
      if (this.#sheet.document !== document) {
        this.#later(SAVE_DELAY); // what was edited meanwhile may be what the server takes
      }
    }
    return false;
  }

  /** The server has another version than the one we know: it may be ours, whose answer was lost. */
  async #compare(): Promise<boolean> {
    try {
      const theirs = await api.graph(this.#sheet.name).catch((error: unknown) => {
        if (isMissing(error)) {
          return null;
        }
        throw error;
      });
      return this.#judge(theirs);
    } catch (error) {
      this.#offline(error);
      return false;
    }
  }

  #judge(theirs: SavedGraph | null): boolean {
    if (theirs !== null && sameContent(theirs.document, this.#sheet.document)) {
      this.#sheet.etag = theirs.etag;
      this.#host.saved(this.#sheet.name, theirs.etag);
      this.#settle();
      return false;
    }
    if (theirs !== null && this.#sent.has(markOf(theirs.document))) {
      this.#sheet.etag = theirs.etag;
      return true;
    }
    if (theirs !== null && this.#sheet.fresh) {
      this.#takeNextName();
      return true;
    }
    this.#conflict(theirs);
    return false;
  }

  #takeNextName(): void {
    this.#rename(nextName(this.#sheet.name));
    this.#host.rename(this.#sheet.name);
  }

  #rename(name: string): void {
    this.#sheet.name = name;
    this.#keeper.rename(name);
  }

  #conflict(theirs: SavedGraph | null): void {
    clearTimeout(this.#timer);
    this.#theirs = theirs;
    this.#tell("conflict");
  }

  #offline(error: unknown): void {
    this.#tell("offline", textOf(error));
    this.#later(Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** this.#retries));
    this.#retries += 1;
  }

  /** Everything is on the server. */
  #settle(): void {
    clearTimeout(this.#timer);
    this.#sheet.dirty = false;
    this.#keeper.drop();
    this.#tell("saved");
  }

  #later(delay: number): void {
    clearTimeout(this.#timer);
    if (!this.#closed) {
      this.#timer = setTimeout(() => void this.flush(), delay);
    }
  }

  #tell(state: SaveState["state"], problem?: string): void {
    this.#state = state;
    if (!this.#closed) {
      this.#host.tell({ state, ...(problem !== undefined && { problem }) }, this.#theirs);
    }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}
