/** How a picture lies on the stage: its scale, null to fit, and how far its middle is from the stage's. */
export interface Zoom {
  scale: number | null;
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

export const FIT: Zoom = { scale: null, x: 0, y: 0 };
export const ACTUAL: Zoom = { scale: 1, x: 0, y: 0 };
const SMALLEST = 0.05;
const LARGEST = 32;

/** The scale at which a picture just fits; small ones grow to at most four times their size. */
export function fitScale(picture: Size, stage: Size): number {
  if (picture.width <= 0 || picture.height <= 0 || stage.width <= 0 || stage.height <= 0) return 1;
  return Math.min(stage.width / picture.width, stage.height / picture.height, 4);
}

/** Zoom by a factor so that what is under `point` (from the stage's middle) stays there. */
export function zoomedAt(zoom: Zoom, fit: number, factor: number, point: { x: number; y: number }): Zoom {
  const before = zoom.scale ?? fit;
  const scale = Math.min(LARGEST, Math.max(SMALLEST, before * factor));
  const grown = scale / before;
  return { scale, x: point.x - (point.x - zoom.x) * grown, y: point.y - (point.y - zoom.y) * grown };
}
