/** Plain objects as immutable records: own keys only, their order kept, whatever their names are. */
export type Dict<T> = Readonly<Record<string, T>>;

/** An own entry. */
export function entry<T>(record: Dict<T> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

/** With an entry set in its place, or at the end. */
export function withEntry<T>(record: Dict<T> | undefined, key: string, value: T): Record<string, T> {
  return { ...record, [key]: value };
}

/** Without the entries that `drop` says; the same object where there are none. */
export function without<T>(record: Record<string, T>, drop: (key: string, value: T) => boolean): Record<string, T> {
  const all = Object.entries(record);
  const kept = all.filter(([key, value]) => !drop(key, value));
  return kept.length === all.length ? record : Object.fromEntries(kept);
}

/** With every value replaced; the same object where all stay the same. */
export function mapped<T>(record: Record<string, T>, change: (value: T, key: string) => T): Record<string, T> {
  let changed = false;
  const entries = Object.entries(record).map(([key, value]): [string, T] => {
    const next = change(value, key);
    changed ||= next !== value;
    return [key, next];
  });
  return changed ? Object.fromEntries(entries) : record;
}

/** With keys replaced, each in its place; the same object where all stay the same. */
export function renamed<T>(record: Record<string, T>, change: (key: string) => string): Record<string, T> {
  const all = Object.entries(record);
  if (all.every(([key]) => change(key) === key)) return record;
  return Object.fromEntries(all.map(([key, value]) => [change(key), value]));
}

/** An object with a key set, or without it where the value is undefined or an empty record. */
export function withPart<T extends object, K extends keyof T>(whole: T, key: K, value: T[K] | undefined): T {
  const gone = value === undefined || isEmpty(value);
  if (gone ? !(key in whole) : whole[key] === value) return whole;
  const copy = { ...whole };
  if (gone) delete copy[key];
  else copy[key] = value;
  return copy;
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}

/** Whether two JSON values are the same; -0 is not 0. */
export function sameJson(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every(
      (name) =>
        Object.hasOwn(right, name) &&
        sameJson((left as Record<string, unknown>)[name], (right as Record<string, unknown>)[name]),
    )
  );
}
