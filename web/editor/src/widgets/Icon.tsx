import "./widgets.css";

/** Line drawings on a grid of 16 by 16, one path each; stroke and size are set in widgets.css. */
const PATHS = {
  play: "M5 3.2v9.6L12.8 8z",
  stop: "M4.5 4.5h7v7h-7z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  undo: "M6 3 2.8 6.2 6 9.4M3 6.2h6.2a3.6 3.6 0 0 1 0 7.2H6.5",
  redo: "M10 3l3.2 3.2L10 9.4M13 6.2H6.8a3.6 3.6 0 0 0 0 7.2h2.7",
  close: "M4 4l8 8M12 4l-8 8",
  plus: "M8 3.2v9.6M3.2 8h9.6",
  minus: "M3.2 8h9.6",
  check: "M3 8.4 6.4 11.8 13 4.6",
  search: "M7 2.8a4.2 4.2 0 1 0 0 8.4 4.2 4.2 0 0 0 0-8.4zM10.2 10.2l3.2 3.2",
  up: "M4 10l4-4 4 4",
  down: "M4 6l4 4 4-4",
  left: "M10 4L6 8l4 4",
  right: "M6 4l4 4-4 4",
  grip: "M5.8 4h.4v.4h-.4zM5.8 7.8h.4v.4h-.4zM5.8 11.6h.4v.4h-.4zM9.8 4h.4v.4h-.4zM9.8 7.8h.4v.4h-.4zM9.8 11.6h.4v.4h-.4z",
  more: "M3.4 7.8h.4v.4h-.4zM7.8 7.8h.4v.4h-.4zM12.2 7.8h.4v.4h-.4z",
  reset: "M3.2 8a4.8 4.8 0 1 0 1.5-3.5L3 6.1M3 2.8v3.3h3.3",
  dice: "M3.5 2.8h9a.7.7 0 0 1 .7.7v9a.7.7 0 0 1-.7.7h-9a.7.7 0 0 1-.7-.7v-9a.7.7 0 0 1 .7-.7zM5.4 5.4h.4v.4h-.4zM10.2 5.4h.4v.4h-.4zM7.8 7.8h.4v.4h-.4zM5.4 10.2h.4v.4h-.4zM10.2 10.2h.4v.4h-.4z",
  pin: "M5.6 2.8h4.8M6.3 2.8v4L4.4 9.2h7.2L9.7 6.8v-4M8 9.2v4.2",
  ladder: "M2.8 12.8h3.5V9.3h3.5V5.8h3.4V3.2",
  picture: "M2.8 3.3h10.4v9.4H2.8zM2.8 11l3.1-3.1 2.5 2.4 1.7-1.6 3.1 2.9M10.2 5.8h.4v.4h-.4z",
  pictures: "M2.8 2.8h4.4v4.4H2.8zM8.8 2.8h4.4v4.4H8.8zM2.8 8.8h4.4v4.4H2.8zM8.8 8.8h4.4v4.4H8.8z",
  upload: "M8 10.5V3M4.8 6 8 2.8 11.2 6M2.8 10.5v2.7h10.4v-2.7",
  download: "M8 2.8v7.5M4.8 7.2 8 10.4l3.2-3.2M2.8 10.5v2.7h10.4v-2.7",
  queue: "M2.8 4h10.4M2.8 8h10.4M2.8 12h6",
  graph: "M2.8 3h3.8v3.4H2.8zM9.4 9.6h3.8V13H9.4zM6.6 4.7h1a1.4 1.4 0 0 1 1.4 1.4v3.8a1.4 1.4 0 0 0 .4 1",
  node: "M2.8 3.3h10.4v9.4H2.8zM2.8 6.3h10.4M5.4 9.4h5.2",
  eye: "M1.8 8C3.2 5.3 5.4 4 8 4s4.8 1.3 6.2 4c-1.4 2.7-3.6 4-6.2 4S3.2 10.7 1.8 8zM8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z",
  warning: "M8 2.6 14 13H2zM8 6.4v3.2M7.8 11h.4v.4h-.4z",
  keyboard: "M1.8 4.2h12.4v7.6H1.8zM4.2 6.5h.4v.4h-.4zM6.6 6.5h.4v.4h-.4zM9 6.5h.4v.4h-.4zM11.4 6.5h.4v.4h-.4zM5 9.4h6",
  settings: "M2.8 4.6h6M12 4.6h1.2M10.4 3v3.2M2.8 11.4h1.2M7.2 11.4h6M5.6 9.8V13",
  sun: "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM8 1.6v1.2M8 13.2v1.2M1.6 8h1.2M13.2 8h1.2M3.5 3.5l.8.8M11.7 11.7l.8.8M3.5 12.5l.8-.8M11.7 4.3l.8-.8",
  moon: "M12.9 9.6A5.4 5.4 0 0 1 6.4 3.1a5.4 5.4 0 1 0 6.5 6.5z",
  sound:
    "M6.2 11.6V3.6l6-1.2v7.8M6.2 11.6a1.8 1.8 0 1 1-3.6 0 1.8 1.8 0 0 1 3.6 0zM12.2 10.2a1.8 1.8 0 1 1-3.6 0 1.8 1.8 0 0 1 3.6 0z",
  screen: "M2.2 3.4h11.6v7.4H2.2zM5.6 13.2h4.8M8 10.8v2.4",
  trash: "M3.2 4.6h9.6M6.2 4.6V3.2h3.6v1.4M4.4 4.6l.6 8.2h6l.6-8.2M6.8 7v3.6M9.2 7v3.6",
  copy: "M5.6 5.6h7.2v7.2H5.6zM10.4 5.6V3.2H3.2v7.2h2.4",
  compare: "M8 2v12M2.8 4h3.4v8H2.8zM9.8 4h3.4v8H9.8z",
  fit: "M2.8 6V2.8H6M10 2.8h3.2V6M13.2 10v3.2H10M6 13.2H2.8V10",
  actual: "M3.4 5 5 3.8v8.4M11 5l1.6-1.2v8.4M7.8 6h.4v.4h-.4zM7.8 9.8h.4v.4h-.4z",
  clock: "M8 2.4a5.6 5.6 0 1 0 0 11.2A5.6 5.6 0 0 0 8 2.4zM8 5v3.2l2.2 1.4",
  form: "M3.2 2.8h9.6v10.4H3.2zM5.4 5.6h5.2M5.4 8h5.2M5.4 10.4h2.6",
  open: "M7 3.4H3.2v9.4h9.4V9M9.4 2.8h3.8v3.8M13 3 7.6 8.4",
  folder: "M2.4 12.4V3.8h3.8l1.4 1.6h6v7z",
  mute: "M8 2.6a5.4 5.4 0 1 0 0 10.8A5.4 5.4 0 0 0 8 2.6zM4.2 4.2l7.6 7.6",
  bypass: "M2 8h2.4c1.6 0 1.6-3.6 3.6-3.6S10 8 11.6 8H14M12 6l2 2-2 2",
} satisfies Record<string, string>;

/** The names of the drawings. */
export type IconName = keyof typeof PATHS;

/** A drawing that says nothing to screen readers: what stands beside it, or the button's name, does. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
