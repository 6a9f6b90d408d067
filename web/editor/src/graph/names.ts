import type { Json } from "./catalog";
import type { Port } from "./document";

/** "node.port". */
export function portPath(port: Port): string {
  return `${port.node}.${port.port}`;
}

/** The port that "node.port" names; as on the server the first point divides. */
export function readPort(path: string): Port {
  const point = path.indexOf(".");
  return point < 0 ? { node: path, port: "" } : { node: path.slice(0, point), port: path.slice(point + 1) };
}

/** The output that an input's JSON is linked to, or null where it is a plain value. */
export function readLink(value: Json | undefined): Port | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const names = Object.keys(value);
  return names.length === 1 && names[0] === "link" && typeof value.link === "string" ? readPort(value.link) : null;
}

/** The JSON of a link to an output. */
export function writeLink(from: Port): Json {
  return { link: portPath(from) };
}

const WORD = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}";
const ID = new RegExp(`^[${WORD}-]+$`, "u");
const OUTSIDE = new RegExp(`[^${WORD}-]+`, "gu");
const LONGEST = 100;

/** Whether a node may have this id: letters, digits, _ and -, at most 100 (as the server's documents). */
export function isNodeId(text: string): boolean {
  return ID.test(text) && [...text].length <= LONGEST;
}

/** An id close to a wish: what no id may have becomes "_"; "node" where nothing is left. */
export function asNodeId(wish: string): string {
  const id = wish.replaceAll(OUTSIDE, "_").replaceAll(/_{2,}/g, "_").replaceAll(/^_|_$/g, "");
  return [...id].slice(0, LONGEST - 10).join("") || "node";
}

/** The wish, or the wish with the first number from 2 on that is not taken. */
export function freeName(wish: string, taken: (name: string) => boolean): string {
  if (!taken(wish)) return wish;
  const stem = wish.replace(/_\d+$/, "") || wish;
  for (let number = 2; ; number += 1) {
    const name = `${stem}_${number}`;
    if (!taken(name)) return name;
  }
}

function parted(name: string): string[] {
  return name
    .replaceAll(/(\p{Ll}|\p{Nd})(\p{Lu})/gu, "$1 $2")
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1 $2")
    .split(/[\s_-]+/)
    .filter((word) => word !== "");
}

/** What is an abbreviation also where a name writes it small. */
const ABBREVIATIONS = new Set(["vae", "kl"]);

/** A type's or a port's name in words: "EncodeText" is "Encode text", "VAEDecode" is "VAE decode", "vae" is "VAE". */
export function words(name: string): string {
  const text = parted(name)
    .map((word) => (ABBREVIATIONS.has(word) || /^\p{Lu}\p{Lu}/u.test(word) ? word.toUpperCase() : word.toLowerCase()))
    .join(" ");
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** The id that a node of a type is first given: "VAEDecode" is "vae_decode". */
export function idWish(typeId: string): string {
  return asNodeId(
    parted(typeId.replace(/^graph:/, ""))
      .join("_")
      .toLowerCase(),
  );
}
