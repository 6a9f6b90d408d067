import { crc32, deflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { graphInPicture, isPicture } from "./picture";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** One pixel with a graph in it, as engine/picture.py writes it. */
const WRITTEN =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAAM2lUWHRwYXRjaGJheQAAAAAAeyJ2ZXJzaW9uIjogMSwgIm5hbWUiOiAiRsO8Y2hzZSDwn6aKIn1XD5t2AAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==";

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const around = Buffer.alloc(8);
  around.writeUInt32BE(data.length, 0);
  around.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([around.subarray(0, 4), body, around.subarray(4)]);
}

function png(...chunks: Buffer[]): ArrayBuffer {
  const header = chunk("IHDR", Buffer.alloc(13));
  return bytes(Buffer.concat([SIGNATURE, header, ...chunks, chunk("IEND", Buffer.alloc(0))]));
}

function bytes(buffer: Buffer): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}

/** An iTXt chunk's data: keyword, flag, method, language, translated keyword, text. */
function international(text: Buffer, { keyword = "patchbay", flag = 0, language = "" } = {}): Buffer {
  const start = Buffer.from(`${keyword}\0${String.fromCharCode(flag)}\0${language}\0\0`, "latin1");
  return chunk("iTXt", Buffer.concat([start, text]));
}

test("the graph that the engine has put into a picture comes out again", async () => {
  const picture = bytes(Buffer.from(WRITTEN, "base64"));
  expect(isPicture(picture)).toBe(true);
  expect(await graphInPicture(picture)).toBe('{"version": 1, "name": "Füchse 🦊"}');
});

test("a text may be compressed, after the pixels and in any language", async () => {
  const pixels = chunk("IDAT", Buffer.alloc(100_000));
  const text = "🦊".repeat(50_000);
  expect(await graphInPicture(png(pixels, international(Buffer.from(text), { language: "de" })))).toBe(text);
  expect(await graphInPicture(png(international(deflateSync(Buffer.from(text)), { flag: 1 })))).toBe(text);
});

test("a picture without a graph, or with another program's texts, has none", async () => {
  expect(await graphInPicture(png())).toBe(null);
  expect(await graphInPicture(png(international(Buffer.from("x"), { keyword: "parameters" })))).toBe(null);
  expect(await graphInPicture(png(international(Buffer.from("x"), { keyword: "patchbay2" })))).toBe(null);
  expect(await graphInPicture(png(chunk("tEXt", Buffer.from("patchbay\0x"))))).toBe(null);
});

test("what is no PNG is no picture", async () => {
  for (const other of [Buffer.alloc(0), SIGNATURE.subarray(0, 7), Buffer.from("GIF89a..........")]) {
    expect(isPicture(bytes(other))).toBe(false);
    expect(await graphInPicture(bytes(other))).toBe(null);
  }
});

test("a picture that is cut off anywhere, or whose text has changed, is damaged", async () => {
  const whole = Buffer.from(WRITTEN, "base64");
  const end = whole.indexOf("IDAT") - 4;
  for (let length = SIGNATURE.length; length < end; length += 1) {
    await expect(graphInPicture(bytes(whole.subarray(0, length)))).rejects.toMatchObject({ key: "picture.damaged" });
  }
  const flipped = Buffer.from(whole);
  flipped[flipped.indexOf("version")] = 0x56;
  await expect(graphInPicture(bytes(flipped))).rejects.toMatchObject({ key: "picture.damaged" });
});

test("a text that is no UTF-8, not compressed as it says, or of an unknown form is damaged", async () => {
  const broken = [
    international(Buffer.from([0xff, 0xfe])),
    international(Buffer.from("no zlib"), { flag: 1 }),
    international(Buffer.from("x"), { flag: 2 }),
    chunk("iTXt", Buffer.from("patchbay\0\0\0only a language")),
  ];
  for (const one of broken) await expect(graphInPicture(png(one))).rejects.toMatchObject({ key: "picture.damaged" });
});

test("a text that would fill the memory is not unpacked", async () => {
  const bomb = international(deflateSync(Buffer.alloc(65 << 20), { level: 9 }), { flag: 1 });
  await expect(graphInPicture(png(bomb))).rejects.toMatchObject({ key: "picture.tooLarge" });
}, 20_000);
