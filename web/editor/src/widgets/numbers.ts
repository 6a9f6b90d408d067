/** What a number's widget must know of it. */
export interface NumberShape {
  integer: boolean;
  min: number | null;
  max: number | null;
  /** Of the arrow keys and of dragging. */
  step: number;
  /** Whether the whole range is narrow enough to be dragged through. */
  slider: boolean;
}

/** A number as people write it: no float noise, no exponent for ordinary sizes. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(10)));
}

/** The nearest multiple of the step: `multipleOf` counts from zero, wherever the range begins. */
export function snap(value: number, shape: NumberShape, step: number = shape.step): number {
  const snapped = Number((Math.round(value / step) * step).toPrecision(12));
  return shape.integer ? Math.round(snapped) : snapped;
}

/** The number inside its range: only for what is dragged or stepped, never for what is typed. */
export function clamp(value: number, { min, max }: NumberShape): number {
  return Math.min(max ?? Number.POSITIVE_INFINITY, Math.max(min ?? Number.NEGATIVE_INFINITY, value));
}

/** Where dragging by `pixels` over a widget of `width` leads. Shift makes it ten times finer. */
export function dragged(start: number, pixels: number, width: number, shape: NumberShape, fine: boolean): number {
  const { min, max, step } = shape;
  // Over a wide range the number would race by: a pixel is never more than a step.
  const whole = shape.slider && min !== null && max !== null ? (max - min) / Math.max(width, 1) : step / 4;
  const perPixel = Math.min(whole, step);
  const moved = start + pixels * perPixel * (fine ? 0.1 : 1);
  const grid = fine && !shape.integer ? step / 10 : step;
  return clamp(snap(moved, shape, grid), shape);
}

/** How much of the range lies below the value, from 0 to 1, or null where there is no range. */
export function share(value: number, { min, max }: NumberShape): number | null {
  if (min === null || max === null || max <= min) return null;
  return Math.min(1, Math.max(0, (value - min) / (max - min)));
}

/** The number that a text means; sums such as `512 * 1.5` are worked out. Null where it is none. */
export function readNumber(text: string): number | null {
  const tokens = text.match(/\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|[-+*/()]|\S/gi) ?? [];
  const reader = { tokens, at: 0 };
  const value = sum(reader);
  return value !== null && reader.at === tokens.length && Number.isFinite(value) ? value : null;
}

interface Reader {
  readonly tokens: readonly string[];
  at: number;
}

function sum(reader: Reader): number | null {
  let value = product(reader);
  for (let sign = reader.tokens[reader.at]; value !== null && (sign === "+" || sign === "-"); ) {
    reader.at += 1;
    const next = product(reader);
    value = next === null ? null : sign === "+" ? value + next : value - next;
    sign = reader.tokens[reader.at];
  }
  return value;
}

function product(reader: Reader): number | null {
  let value = factor(reader);
  for (let sign = reader.tokens[reader.at]; value !== null && (sign === "*" || sign === "/"); ) {
    reader.at += 1;
    const next = factor(reader);
    value = next === null ? null : sign === "*" ? value * next : value / next;
    sign = reader.tokens[reader.at];
  }
  return value;
}

function factor(reader: Reader): number | null {
  const token = reader.tokens[reader.at];
  reader.at += 1;
  if (token === undefined) return null;
  if (token === "-" || token === "+") {
    const value = factor(reader);
    return value === null ? null : token === "-" ? -value : value;
  }
  if (token === "(") {
    const value = sum(reader);
    reader.at += 1;
    return reader.tokens[reader.at - 1] === ")" ? value : null;
  }
  return /^[\d.]/.test(token) && token !== "." ? Number(token) : null;
}
