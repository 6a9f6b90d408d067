import { useEffect, useRef } from "react";

/**
 * Let keys act while a dialog is open. The window hears them, because what had the focus may just have gone. A field
 * keeps the keys that move in it.
 */
export function useActs(acts: Readonly<Record<string, () => void>>): void {
  const now = useRef(acts);
  now.current = acts;
  useEffect(() => {
    const hear = (event: KeyboardEvent) => {
      const modified = event.ctrlKey || event.metaKey || event.altKey;
      const moves = event.target instanceof HTMLInputElement && event.key.length > 1;
      if (!modified && !moves) now.current[event.key]?.();
    };
    window.addEventListener("keydown", hear);
    return () => window.removeEventListener("keydown", hear);
  }, []);
}
