import { create } from "zustand";
import type { Catalog } from "../graph/catalog";
import { api, type Model, type Trouble } from "./api";
import { report, textOf } from "./ui";

/** What graphs can be made of. */
export interface CatalogStore {
  status: "loading" | "ready" | "failed";
  types: Catalog;
  models: Model[];
  /** Node files that could not be loaded. */
  problems: Trouble[];
  /** Why it failed, as a sentence. */
  failure: string | null;
  load(): Promise<void>;
  /** Look again which models there are. */
  reloadModels(): Promise<void>;
}

export const useCatalog = create<CatalogStore>((set) => ({
  status: "loading",
  types: {},
  models: [],
  problems: [],
  failure: null,
  async load() {
    try {
      const [nodes, models] = await Promise.all([api.nodes(), api.models()]);
      set({ status: "ready", failure: null, models, ...nodes });
    } catch (error) {
      set(({ status }) => (status === "ready" ? {} : { status: "failed", failure: textOf(error) }));
    }
  },
  async reloadModels() {
    try {
      set({ models: await api.models() });
    } catch (error) {
      report(error);
    }
  },
}));
