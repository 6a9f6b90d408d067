import { type RefObject, useCallback, useEffect, useState } from "react";
import { t } from "../text/text";
import type { Refused } from "./field";
import { Popover } from "./Popover";

const SHOWN = 8000;

/** A sentence about a value that was not taken, and how to say and to forget it. */
export function useRefusal(): { refused: Refused | null; refuse: (refused: Refused) => void; forget: () => void } {
  const [refused, setRefused] = useState<Refused | null>(null);
  useEffect(() => {
    if (refused === null) return;
    const timer = setTimeout(() => setRefused(null), SHOWN);
    return () => clearTimeout(timer);
  }, [refused]);
  return { refused, refuse: setRefused, forget: useCallback(() => setRefused(null), []) };
}

interface RefusalProps {
  refused: Refused | null;
  look: "row" | "block";
  anchor: RefObject<HTMLElement | null>;
  forget: () => void;
}

/** The sentence itself: below the widget, or over the canvas where a row has no room for it. */
export function Refusal({ refused, look, anchor, forget }: RefusalProps) {
  if (refused === null) return null;
  const sentence = (
    <p className="refusal" role="alert">
      {t(refused.key, refused.params)}
    </p>
  );
  if (look === "block") return sentence;
  return (
    <Popover anchor={anchor} close={forget} className="refusal-sheet" quiet>
      {sentence}
    </Popover>
  );
}
