/** What the server takes as a graph's name. */
const NAME = /^[A-Za-z0-9_-]{1,100}$/;

/** Room for a number behind it. */
const LONGEST = 90;

/** Whether a graph can be saved under this name. */
export function isGraphName(name: string): boolean {
  return NAME.test(name);
}

/** A title as a graph's name: "Fox, in snow" is "fox_in_snow". Null where nothing is left, as of a Chinese title. */
export function nameOf(title: string): string | null {
  const plain = title
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "_")
    .slice(0, LONGEST)
    .replace(/^_+|_+$/g, "");
  return isGraphName(plain) ? plain : null;
}

/** The name itself, or with the first number that is free. */
export function freeName(wish: string, taken: ReadonlySet<string>): string {
  let name = wish;
  while (taken.has(name)) {
    name = nextName(name);
  }
  return name;
}

/** "fox" is followed by "fox_2", that by "fox_3". */
export function nextName(name: string): string {
  const { stem, number } = parted(name);
  return `${stem}_${number + 1}`;
}

/** Whether a name is the wish itself or the wish with a number. */
export function comesFrom(name: string, wish: string): boolean {
  return name === wish || (name.startsWith(`${wish}_`) && /^[0-9]{1,6}$/.test(name.slice(wish.length + 1)));
}

function parted(name: string): { stem: string; number: number } {
  const found = /^(.+)_([0-9]{1,6})$/.exec(name);
  return { stem: found?.[1] ?? name, number: found ? Number(found[2]) : 1 };
}
