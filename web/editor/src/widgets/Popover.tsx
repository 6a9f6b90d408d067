import {
  type ReactNode,
  type RefObject,
  type SyntheticEvent,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { createPortal } from "react-dom";

interface PopoverProps {
  /** What it belongs to: it opens below, or above where there is more room. */
  anchor: RefObject<HTMLElement | null>;
  close: () => void;
  children: ReactNode;
  className?: string;
  /** As wide as its anchor at least. */
  wide?: boolean;
  /** It only tells something: Escape is left to what has the focus. */
  quiet?: boolean;
}

interface Place {
  left: number;
  top: number;
  width: number;
  height: number;
}

const MARGIN = 8;

/**
 * A sheet over everything, dialogs and the zoomed canvas included, that belongs to a control. A click elsewhere, a turn
 * of the wheel outside and Escape close it.
 */
export function Popover({ anchor, close, children, className = "", wide = false, quiet = false }: PopoverProps) {
  const sheet = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState<Place | null>(null);
  const shut = useRef(close);
  shut.current = close;

  useLayoutEffect(() => {
    const element = sheet.current;
    if (element === null || anchor.current === null) return;
    element.showPopover?.();
    setPlace(placed(anchor.current.getBoundingClientRect(), element));
  }, [anchor]);

  useEffect(() => {
    const outside = (event: Event) => {
      const target = event.target instanceof Element ? event.target : null;
      const inside = target?.closest(".popover") != null || anchor.current?.contains(target);
      if (!inside) shut.current();
    };
    const press = (event: KeyboardEvent) => {
      const top = [...document.querySelectorAll(".popover:not(.is-quiet)")].at(-1) === sheet.current;
      if (event.key !== "Escape" || !top || quiet) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      shut.current();
    };
    const resized = () => shut.current();
    document.addEventListener("pointerdown", outside, true);
    document.addEventListener("wheel", outside, true);
    document.addEventListener("keydown", press, true);
    window.addEventListener("resize", resized);
    return () => {
      document.removeEventListener("pointerdown", outside, true);
      document.removeEventListener("wheel", outside, true);
      document.removeEventListener("keydown", press, true);
      window.removeEventListener("resize", resized);
    };
  }, [anchor, quiet]);

  const style =
    place === null
      ? { opacity: 0, minWidth: wide ? anchor.current?.offsetWidth : undefined }
      : { left: place.left, top: place.top, maxHeight: place.height, ...(wide ? { minWidth: place.width } : {}) };
  return createPortal(
    // biome-ignore lint/a11y/noStaticElementInteractions: it only keeps events from going on
    <div
      ref={sheet}
      role="presentation"
      popover="manual"
      className={`popover nowheel nodrag nopan ${quiet ? "is-quiet " : ""}${className}`}
      style={style}
      onPointerDown={keep}
      onClick={keep}
      onDoubleClick={keep}
      onKeyDown={keep}
      onPaste={keep}
    >
      {children}
    </div>,
    document.body,
  );
}

// React hands events of a portal to the components around it: to the canvas, which would act on them.
function keep(event: SyntheticEvent): void {
  event.stopPropagation();
}

function placed(anchor: DOMRect, sheet: HTMLElement): Place {
  const below = window.innerHeight - anchor.bottom - MARGIN;
  const above = anchor.top - MARGIN;
  const wish = sheet.offsetHeight + 4;
  const up = wish > below && above > below;
  const height = Math.min(wish, up ? above : below);
  const left = Math.max(MARGIN, Math.min(anchor.left, window.innerWidth - sheet.offsetWidth - MARGIN));
  return { left, top: up ? anchor.top - height : anchor.bottom + 4, width: anchor.width, height: Math.max(height, 80) };
}
