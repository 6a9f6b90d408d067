import { create } from "zustand";

interface ConflictStore {
  /** Whether a person has put the question off. */
  later: boolean;
  putOff: () => void;
  /** Ask (again). */
  ask: () => void;
}

/** Whether the question about two versions is asked now. */
export const useConflict = create<ConflictStore>((set) => ({
  later: false,
  putOff: () => set({ later: true }),
  ask: () => set({ later: false }),
}));
