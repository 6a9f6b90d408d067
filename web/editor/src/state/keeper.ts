import type { GraphDocument } from "../graph/document";
import { type Draft, draftKey, dropDraft, dropDrafts, keepDraft } from "./drafts";

/** Characters of a draft whose writing takes so long that a person who drags would feel it. */
const LARGE = 200_000;

/** Large drafts are written at most this often; what is due is written before the page is hidden. */
const PACE = 100;

/** What a draft holds, as it is at the moment of writing. */
export interface Content {
  document: GraphDocument;
  base: string | null;
  sent: string | null;
}

/** Keeps the draft of one open graph in the browser, and the one it was restored from until that is saved. */
export class Keeper {
  #name: string;
  #key: string;
  #restored: Draft[];
  #kept = true;
  #at = 0;
  #length = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #read: () => Content;
  readonly #unkept: () => void;

  /** `read` gives what to keep; `unkept` is told once for all times in a row that the browser has no room. */
  constructor(name: string, restored: Draft | undefined, read: () => Content, unkept: () => void) {
    this.#name = name;
    this.#key = draftKey(name);
    this.#restored = restored ? [restored] : [];
    this.#read = read;
    this.#unkept = unkept;
  }

  /** Whether the newest content is in the browser. */
  get isKept(): boolean {
    return this.#kept;
  }

  /** Keep the content now, or a large one as soon as its turn comes. */
  soon(): void {
    const wait = this.#length < LARGE ? 0 : this.#at + PACE - Date.now();
    if (wait <= 0) {
      this.now();
    } else {
      this.#timer ??= setTimeout(() => this.now(), Math.min(wait, PACE));
    }
  }

  /** Keep what is due, if anything is. */
  due(): void {
    if (this.#timer !== undefined) {
      this.now();
    }
  }

  now(): void {
    this.#stop();
    this.#at = Date.now();
    const before = this.#kept;
    const length = keepDraft({ key: this.#key, name: this.#name, at: this.#at, ...this.#read() });
    this.#kept = length !== null;
    this.#length = length ?? this.#length;
    if (before && !this.#kept) {
      this.#unkept();
    }
  }

  /** Keep it under another name: the new draft is written before the old one goes, if there is room for both. */
  rename(name: string): void {
    const old = this.#key;
    this.#name = name;
    this.#key = draftKey(name);
    this.now();
    this.#dropAll(old);
    if (!this.#kept) {
      this.now();
    }
  }

  /** Everything is on the server: forget the draft. */
  drop(): void {
    this.#stop();
    this.#dropAll(this.#key);
    this.#kept = true;
  }

  /** Write nothing more. */
  close(): void {
    this.due();
    this.#stop();
  }

  #dropAll(key: string): void {
    dropDraft(key);
    dropDrafts(this.#restored);
    this.#restored = [];
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
