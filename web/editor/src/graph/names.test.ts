import { expect, test } from "vitest";
import { asNodeId, freeName, idWish, isNodeId, portPath, readPort, words } from "./names";

test("a port is written node.port and read back", () => {
  for (const port of [
    { node: "a", port: "b" },
    { node: "a", port: "b.c" },
    { node: "狐", port: "x_1" },
  ]) {
    expect(readPort(portPath(port))).toEqual(port);
  }
  expect(readPort("a")).toEqual({ node: "a", port: "" });
});

test("names are told in words, and make ids", () => {
  expect(["EncodeText", "VAEDecode", "text_encoder", "vae", "If", "LoadImage2"].map(words)).toEqual([
    "Encode text",
    "VAE decode",
    "Text encoder",
    "VAE",
    "If",
    "Load image2",
  ]);
  expect(["EncodeText", "VAEDecode", "graph:upscale twice", "If"].map(idWish)).toEqual([
    "encode_text",
    "vae_decode",
    "upscale_twice",
    "if",
  ]);
});

test("every wish becomes an id, and an id stays", () => {
  for (const wish of ["a b", "", "é.ü", "-", "狐狸", "x".repeat(200), "__", "a\n"])
    expect(isNodeId(asNodeId(wish))).toBe(true);
  for (const id of ["sample", "sample_2", "a-b", "狐狸"]) expect(asNodeId(id)).toBe(id);
});

test("the first number that is free is taken", () => {
  const taken = new Set(["a", "a_2", "b_7"]);
  expect(["a", "a_2", "b", "b_7"].map((wish) => freeName(wish, (name) => taken.has(name)))).toEqual([
    "a_3",
    "a_3",
    "b",
    "b_2",
  ]);
});
