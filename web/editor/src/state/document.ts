import { create } from "zustand";
import type { Json } from "../graph/catalog";
import { emptyDocument, type GraphDocument, setName } from "../graph/document";
import { EditError } from "../graph/errors";
import { amend, createHistory, type History, record, redo, redoLabel, undo, undoLabel } from "../graph/history";
import type { TextKey } from "../text/text";
import { api, type SavedGraph } from "./api";
import { comesFrom, freeName, nameOf } from "./graphNames";
import { knownNames, learnNames, shippedNames } from "./knownNames";
import { loadSheet } from "./loading";
import { Saver } from "./saver";
import type { SaverHost, SaveState, Sheet } from "./sheet";
import { tellTabs } from "./tabs";
import { report, textOf, useUi } from "./ui";

export type { SaveState } from "./sheet";

/** The open graph. `name` is the one it is saved under, `document.name` the title that people gave it. */
export interface DocumentStore {
  name: string | null;
  document: GraphDocument;
  /** Grows with every change of `document`. */
  revision: number;
  save: SaveState;
  /** In the state "conflict": what the server has; null when the graph was deleted there. */
  theirs: GraphDocument | null;
  /** The graph that is being opened. */
  opening: string | null;
  /** The name it had before it was renamed; the address then changes in place. */
  renamedFrom: string | null;
  undoLabel: TextKey | null;
  redoLabel: TextKey | null;
  /**
   * Change the document as one undoable step; steps of the same `merge` in quick succession become one. An
   * `EditError` is told, and nothing changes. Returns whether the document has changed.
   */
  edit(label: TextKey, change: (doc: GraphDocument) => GraphDocument, merge?: string): boolean;
  undo(): void;
  redo(): void;
  /** Write values ("node.port") without a step of their own: what the server has drawn for a run of this graph. */
  amend(name: string, values: Record<string, Json>): void;
  /** Open a saved graph, with what a crash or a reload has left unsaved. Returns whether it is open. */
  open(name: string): Promise<boolean>;
  /** Let a document become a saved graph of its own under a free name like `wish`, and open it. */
  openDocument(doc: GraphDocument, wish?: string): Promise<void>;
  create(): Promise<void>;
  /** Give the graph another title, and save it under a name like it. */
  renameGraph(title: string): Promise<void>;
  /** Take a graph away; the server keeps its versions. If it is the open one, none is open then. */
  deleteGraph(name: string, etag: string): Promise<void>;
  saveNow(): Promise<void>;
  /** End a conflict: save over the other version, take it (undoable), or keep both. */
  resolve(choice: "mine" | "theirs" | "copy"): Promise<void>;
}

/** What a graph is called that has no title. */
const UNTITLED = "untitled";

/** So long a save may take before another graph is opened; the draft has it anyway. */
const LEAVE_TIME = 2000;

let history: History<TextKey> = createHistory<TextKey>(emptyDocument());
let saver: Saver | null = null;
let theirs: SavedGraph | null = null;
let opened = 0;

export const useDocument = create<DocumentStore>((set, get) => {
  const show = (next: History<TextKey>): void => {
    history = next;
    set(({ revision }) => ({
      document: next.present,
      revision: revision + 1,
      undoLabel: undoLabel(next),
      redoLabel: redoLabel(next),
    }));
  };

  /** Show another state of the same graph, and have it saved. A graph that is not open yet becomes one here. */
  const change = (next: History<TextKey>): boolean => {
    if (next.present === history.present) {
      history = next;
      return false;
    }
    show(next);
    if (saver === null) {
      const name = freeName(UNTITLED, new Set(knownNames));
      saver = new Saver({ name, document: next.present, etag: null, dirty: true, fresh: true }, hostOf());
      set({ name, save: { state: "waiting" } });
    } else {
      saver.changed(next.present);
    }
    return true;
  };

  const hostOf = (): SaverHost => ({
    tell: (save, found) => {
      theirs = found;
      set({ save, theirs: found?.document ?? null });
    },
    rename: (name) => set(({ name: renamedFrom }) => ({ name, renamedFrom })),
    newer: (saved) => {
      saver?.take(saved);
      show(record(history, "edit.theirs", saved.document));
      useUi.getState().toast("save.updated", { name: saver?.name ?? "" });
    },
    unkept: () => useUi.getState().toast("save.notKept", {}, "problem"),
    saved: (name, etag) => {
      knownNames.add(name);
      tellTabs({ name, etag });
    },
  });

  /** Show a graph in the place of the one that is open. */
  const place = (sheet: Sheet, next: History<TextKey>): Saver => {
    void saver?.flush(); // what was edited while this one was loaded; it answers to nobody any more
    saver?.close();
    theirs = null;
    saver = new Saver(sheet, hostOf());
    set({ name: sheet.name, renamedFrom: null, theirs: null, save: { state: sheet.dirty ? "waiting" : "saved" } });
    show(next);
    useUi.getState().select([]);
    return saver;
  };

  /** Let go of the open graph. False when that would lose something: it is neither saved nor kept. */
  const leave = async (): Promise<boolean> => {
    if (saver !== null && !saver.isSaved) {
      await Promise.race([saver.flush(), new Promise((resolve) => setTimeout(resolve, LEAVE_TIME))]);
      if (saver.atRisk) {
        useUi.getState().toast("save.staying", { name: saver.name }, "problem");
        return false;
      }
    }
    return true;
  };

  const openNew = async (doc: GraphDocument, wish: string): Promise<void> => {
    opened += 1;
    set({ opening: null });
    if (await leave()) {
      await learnNames();
      const name = freeName(wish, knownNames);
      knownNames.add(name);
      const sheet: Sheet = { name, document: doc, etag: null, dirty: true, fresh: true };
      await place(sheet, createHistory<TextKey>(doc)).flush();
    }
  };

  const closeAll = (): void => {
    saver?.close(true);
    saver = null;
    theirs = null;
    set({ name: null, theirs: null, save: { state: "saved" } });
    show(createHistory<TextKey>(emptyDocument()));
  };

  return {
    name: null,
    document: history.present,
    revision: 0,
    save: { state: "saved" },
    theirs: null,
    opening: null,
    renamedFrom: null,
    undoLabel: null,
    redoLabel: null,

    edit(label, alter, merge) {
      try {
        return change(record(history, label, alter(history.present), merge, Date.now()));
      } catch (error) {
        if (error instanceof EditError) {
          report(error);
          return false;
        }
        throw error;
      }
    },

    undo: () => void change(undo(history)),
    redo: () => void change(redo(history)),

    amend(name, values) {
      if (name === saver?.name) {
        change(amend(history, values));
      }
    },

    async open(name) {
      if (name === saver?.name && get().opening === null) {
        return true;
      }
      opened += 1;
      const turn = opened;
      set({ opening: name });
      try {
        if (!(await leave())) {
          return false;
        }
        const found = await loadSheet(name);
        if (turn !== opened) {
          return false;
        }
        if (found === null) {
          useUi.getState().toast("graph.missing", { name }, "problem");
          return false;
        }
        place(found.sheet, found.history);
        if (found.conflict !== undefined) {
          saver?.beginWithConflict(found.conflict);
        }
        knownNames.add(name);
        return true;
      } catch (error) {
        useUi.getState().toast("graph.unreadable", { name, problem: textOf(error) }, "problem");
        return false;
      } finally {
        if (turn === opened) {
          set({ opening: null });
        }
      }
    },

    openDocument: (doc, wish) => openNew(doc, nameOf(wish ?? doc.name ?? "") ?? UNTITLED),

    create: () => openNew(emptyDocument(), UNTITLED),

    async renameGraph(title) {
      const wished = title.trim();
      get().edit("edit.rename", (doc) => setName(doc, wished));
      const wish = nameOf(wished);
      const moved = saver;
      if (moved === null || wish === null || comesFrom(moved.name, wish)) {
        return;
      }
      await moved.flush();
      const { name: old, etag } = moved;
      if (!moved.isSaved || etag === null) {
        return; // it keeps its name for now; the title is in the draft
      }
      await learnNames();
      const shipped = shippedNames().has(old);
      const name = freeName(wish, knownNames);
      await moved.move(name, null);
      if (saver === moved) {
        set({ name: moved.name, renamedFrom: old });
      }
      if (moved.isSaved && !shipped) {
        await api.deleteGraph(old, etag).catch((error: unknown) => {
          useUi.getState().toast("graph.oldKept", { name: moved.name, problem: textOf(error) }, "problem");
        });
        knownNames.delete(old);
      }
    },

    async deleteGraph(name, etag) {
      await api.deleteGraph(name, etag);
      knownNames.delete(name);
      if (saver?.name === name) {
        closeAll();
      }
    },

    async saveNow() {
      await saver?.flush();
    },

    async resolve(choice) {
      if (saver === null || get().save.state !== "conflict") {
        return;
      }
      const found = theirs;
      if (choice === "mine") {
        await saver.insist();
      } else if (choice === "copy") {
        await learnNames();
        const name = freeName(saver.name, knownNames);
        const moved = saver;
        await moved.move(name, null);
        set({ name: moved.name, renamedFrom: null });
        useUi.getState().toast("save.copied", { name: moved.name }, "ok");
      } else if (found === null) {
        closeAll();
      } else {
        saver.take(found);
        show(record(history, "edit.theirs", found.document));
      }
    },
  };
});

/** The saver of the open graph, for those who know when it is time to save, to keep or to look. */
export function openSaver(): Saver | null {
  return saver;
}
