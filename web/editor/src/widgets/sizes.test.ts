import { expect, test } from "vitest";
import { sizeText } from "./sizes";

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1 KiB"],
  [1536, "1.5 KiB"],
  [12 << 20, "12 MiB"],
  [250 << 20, "250 MiB"],
  [7 * 1024 ** 3, "7 GiB"],
])("%d bytes are %s", (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});
