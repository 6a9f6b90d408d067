import type { InputPort, Json } from "../graph/catalog";
import type { TextKey } from "../text/text";

/** How the server draws a seed for the next run; null where it stays as it is. */
export type SeedMode = "random" | "increment" | null;

/** What a seed's widget needs beside its value. */
export interface SeedState {
  mode: SeedMode;
  setMode: (mode: SeedMode) => void;
  /** The seed of the latest run, where it is known. */
  last: number | null;
}

/**
 * What every widget is given. In the look "row" it fills one row of a node and shows its own name; in the look "block" it
 * stands below a label that names it by `id`.
 */
export interface FieldProps {
  look: "row" | "block";
  id: string;
  name: string;
  port: InputPort;
  /** The value that counts: the one that is set, else the default; undefined where there is neither. */
  value: Json | undefined;
  /** `undefined` goes back to the default. Changes with the same `merge` that follow each other are undone together. */
  change: (value: Json | undefined, merge?: string) => void;
  seed?: SeedState | undefined;
  describedBy?: string | undefined;
}

/** Why a value was not taken, as a text and what it speaks of. */
export interface Refused {
  key: TextKey;
  params?: Record<string, string | number>;
}
