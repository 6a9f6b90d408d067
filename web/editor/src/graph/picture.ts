import { EditError } from "./errors";

/** A graph inside a PNG picture: the text of an iTXt chunk with the keyword "patchbay" (engine/picture.py). */

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const KEYWORD = "patchbay\0";
const MAX_TEXT = 64 << 20;
/** Around a chunk's data: four bytes each for length, type and checksum. */
const AROUND = 12;

/** Whether these are the bytes of a PNG file. */
export function isPicture(bytes: ArrayBuffer): boolean {
  const start = new Uint8Array(bytes, 0, Math.min(bytes.byteLength, SIGNATURE.length));
  return start.length === SIGNATURE.length && SIGNATURE.every((byte, place) => start[place] === byte);
}

/**
 * The text of the graph that a picture carries, or null for a picture without one. No pixel is unpacked. Throws
 * `EditError` for a picture that is damaged, or whose graph is larger than 64 MiB.
 */
export async function graphInPicture(bytes: ArrayBuffer): Promise<string | null> {
  if (!isPicture(bytes)) return null;
  const data = findChunk(bytes);
  return data === null ? null : readText(data);
}

function findChunk(bytes: ArrayBuffer): Uint8Array<ArrayBuffer> | null {
  const view = new DataView(bytes);
  for (let place = SIGNATURE.length; ; ) {
    if (place + AROUND > bytes.byteLength) throw new EditError("picture.damaged");
    const length = view.getUint32(place);
    const end = place + AROUND + length;
    if (end > bytes.byteLength) throw new EditError("picture.damaged");
    const type = latin(new Uint8Array(bytes, place + 4, 4));
    const data = new Uint8Array(bytes, place + 8, length);
    if (type === "iTXt" && latin(data.subarray(0, KEYWORD.length)) === KEYWORD) {
      const whole = checksum(new Uint8Array(bytes, place + 4, length + 4)) === view.getUint32(end - 4);
      if (!whole) throw new EditError("picture.damaged");
      return data.subarray(KEYWORD.length);
    }
    if (type === "IEND") return null;
    place = end;
  }
}

function latin(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** The CRC-32 of the PNG specification. */
function checksum(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** What follows the keyword: compression flag and method, language, translated keyword, text. */
async function readText(data: Uint8Array<ArrayBuffer>): Promise<string> {
  const language = data.indexOf(0, 2);
  const keyword = language < 0 ? -1 : data.indexOf(0, language + 1);
  const [flag, method] = data;
  if (keyword < 0 || (flag !== 0 && (flag !== 1 || method !== 0))) throw new EditError("picture.damaged");
  const text = data.subarray(keyword + 1);
  const plain = flag === 1 ? await inflated(text) : text;
  if (plain.length > MAX_TEXT) throw new EditError("picture.tooLarge");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(plain);
  } catch {
    throw new EditError("picture.damaged");
  }
}

async function inflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      parts.push(part.value);
      size += part.value.length;
      if (size > MAX_TEXT) break;
    }
  } catch {
    throw new EditError("picture.damaged");
  }
  if (size > MAX_TEXT) {
    await reader.cancel();
    throw new EditError("picture.tooLarge");
  }
  const whole = new Uint8Array(size);
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}
