/** A found item; `marks[i]` are the places in the item's i-th text that match. Higher scores match better. */
export interface Hit<T> {
  item: T;
  score: number;
  marks: number[][];
}

interface Match {
  score: number;
  marks: number[];
}

/** What a matching letter is worth by where it stands. */
const START = 24;
const WORD = 16;
const NEXT = 12;
const LETTER = 2;
const SKIPPED = 1;
/** What a later text of an item is worth less than the first. */
const FURTHER = 0.6;
/** What each letter of a text takes away, so that short texts come first. */
const LENGTH = 0.1;
const MIN_SCORE = 1;

/**
 * The items whose texts have the query's letters in order, the best first; equals stay in order. Beginnings of words
 * count most, also of words inside "camelCase"; every word of the query must be in one of the texts. All items for "".
 */
export function search<T>(query: string, items: readonly T[], by: { text: (item: T) => readonly string[] }): Hit<T>[] {
  const words = query.trim().split(/\s+/).filter(Boolean);
  const hits = items.flatMap((item) => {
    const hit = hitOf(words, by.text(item));
    return hit === null ? [] : [{ item, ...hit }];
  });
  return words.length ? hits.sort((one, other) => other.score - one.score) : hits;
}

function hitOf(words: readonly string[], texts: readonly string[]): { score: number; marks: number[][] } | null {
  const marks = texts.map((): number[] => []);
  let total = 0;
  for (const word of words) {
    let best: Match | null = null;
    let where = 0;
    for (const [place, text] of texts.entries()) {
      const match = matchOf(word, text);
      if (match === null) continue;
      const score = match.score * FURTHER ** place;
      if (best === null || score > best.score) {
        best = { score, marks: match.marks };
        where = place;
      }
    }
    if (best === null) return null;
    total += best.score;
    marks[where]?.push(...best.marks);
  }
  return { score: total, marks: marks.map((list) => [...new Set(list)].sort((one, other) => one - other)) };
}

/** Each letter by itself, so that places stay what they are in the text as it is written. */
function folded(text: string): string[] {
  return text.split("").map((letter) => letter.toLowerCase());
}

/** The best way to find a word's letters in a text, in order; null where there is none. */
function matchOf(word: string, text: string): Match | null {
  const wanted = folded(word);
  const letters = folded(text);
  const worth = letters.map((_, place) => LETTER + (place === 0 ? START : beginsWord(text, place) ? WORD : 0));
  const back: number[][] = [];
  let row: number[] = [];
  for (const [count, letter] of wanted.entries()) {
    const { scores, from } = nextRow(row, letters, worth, letter, count === 0);
    row = scores;
    back.push(from);
  }
  let place = row.reduce((best, score, at) => (score > (row[best] ?? Number.NEGATIVE_INFINITY) ? at : best), 0);
  const score = row[place] ?? Number.NEGATIVE_INFINITY;
  if (score === Number.NEGATIVE_INFINITY) return null;
  const marks: number[] = [];
  for (const from of back.reverse()) {
    marks.unshift(place);
    place = from[place] ?? 0;
  }
  return { score: Math.max(score - text.length * LENGTH, MIN_SCORE), marks };
}

/** For every place in the text: the best score with the next letter there, and where the letter before it is then. */
function nextRow(
  row: readonly number[],
  letters: readonly string[],
  worth: readonly number[],
  letter: string,
  first: boolean,
): { scores: number[]; from: number[] } {
  const scores: number[] = [];
  const from: number[] = [];
  let best = Number.NEGATIVE_INFINITY;
  let bestAt = 0;
  for (const [place, other] of letters.entries()) {
    const next = (row[place - 1] ?? Number.NEGATIVE_INFINITY) + NEXT;
    const before = first ? 0 : Math.max(best, next);
    scores.push(other === letter ? before + (worth[place] ?? 0) : Number.NEGATIVE_INFINITY);
    from.push(next >= best ? place - 1 : bestAt);
    best -= SKIPPED;
    const here = row[place - 1] ?? Number.NEGATIVE_INFINITY;
    if (here - SKIPPED > best) {
      best = here - SKIPPED;
      bestAt = place - 1;
    }
  }
  return { scores, from };
}

function beginsWord(text: string, place: number): boolean {
  const before = text[place - 1] ?? "";
  const here = text[place] ?? "";
  if (!/[\p{L}\p{N}]/u.test(before)) return true;
  if (/\p{Lu}/u.test(here)) return /[\p{Ll}\p{N}]/u.test(before) || /\p{Ll}/u.test(text[place + 1] ?? "");
  return /\p{N}/u.test(here) && !/\p{N}/u.test(before);
}
