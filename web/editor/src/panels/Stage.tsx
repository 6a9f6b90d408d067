import { type PointerEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { ACTUAL, FIT, fitScale, type Size, type Zoom, zoomedAt } from "./zoom";

interface StageProps {
  picture: Size;
  zoom: Zoom;
  setZoom: (zoom: Zoom) => void;
  /** What a drag over the stage does instead of moving the picture; it hears the place from 0 (left) to 1 (right). */
  slide?: ((part: number) => void) | undefined;
  /** Draws the pictures; each is placed by the style it is given. */
  children: (style: React.CSSProperties) => ReactNode;
}

/** Where a picture is looked at: the wheel zooms at the pointer, dragging moves it, a double click fits or fills. */
export function Stage({ picture, zoom, setZoom, slide, children }: StageProps) {
  const stage = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  const fit = fitScale(picture, size);
  const scale = zoom.scale ?? fit;
  const turn = useRef<(event: WheelEvent) => void>(() => {});
  turn.current = (event) => {
    event.preventDefault();
    setZoom(zoomedAt(zoom, fit, Math.exp(-event.deltaY * 0.002), fromMiddle(stage.current, event)));
  };

  useLayoutEffect(() => {
    const element = stage.current;
    if (element === null) return;
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    // React listens to wheels passively, which could not keep the page from scrolling.
    const element = stage.current;
    const hear = (event: WheelEvent) => turn.current(event);
    element?.addEventListener("wheel", hear, { passive: false });
    return () => element?.removeEventListener("wheel", hear);
  }, []);

  const move = (event: PointerEvent<HTMLDivElement>) => {
    if (event.buttons !== 1) return;
    if (slide !== undefined && !event.shiftKey) {
      const box = event.currentTarget.getBoundingClientRect();
      slide(Math.min(1, Math.max(0, (event.clientX - box.left) / Math.max(box.width, 1))));
    } else setZoom({ scale, x: zoom.x + event.movementX, y: zoom.y + event.movementY });
  };
  const style: React.CSSProperties = {
    width: picture.width * scale,
    height: picture.height * scale,
    transform: `translate(-50%, -50%) translate(${zoom.x}px, ${zoom.y}px)`,
    imageRendering: scale >= 3 && zoom.scale !== null ? "pixelated" : "auto",
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys that do the same are the lightbox's
    <div
      ref={stage}
      role="presentation"
      className={`viewer${slide === undefined ? "" : " is-sliding"}`}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        move(event);
      }}
      onPointerMove={move}
      onDoubleClick={() => setZoom(zoom.scale === null ? ACTUAL : FIT)}
    >
      {children(style)}
    </div>
  );
}

function fromMiddle(element: HTMLElement | null, event: WheelEvent): { x: number; y: number } {
  const box = element?.getBoundingClientRect();
  if (box === undefined) return { x: 0, y: 0 };
  return { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 };
}
