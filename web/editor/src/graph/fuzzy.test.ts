import { expect, test } from "vitest";
import { search } from "./fuzzy";

const names = [
  "VAEDecode",
  "VAEEncode",
  "LoadImage",
  "ImageGrid",
  "LoadModel",
  "EmptyLatent",
  "Sample",
  "SampleDistribution",
];
const find = (query: string, items = names) => search(query, items, { text: (item) => [item] }).map(({ item }) => item);

test("nothing asked for is all, in order", () => {
  expect(find("")).toEqual(names);
  expect(find("  ")).toEqual(names);
  expect(search("", ["a"], { text: (item) => [item, "b"] })).toEqual([{ item: "a", score: 0, marks: [[], []] }]);
});

test("beginnings of words come before letters inside them", () => {
  expect(find("li")[0]).toBe("LoadImage");
  expect(find("vd")[0]).toBe("VAEDecode");
  expect(find("dec")).toEqual(["VAEDecode"]);
  expect(find("sample")).toEqual(["Sample", "SampleDistribution"]);
  expect(find("image")).toEqual(["ImageGrid", "LoadImage"]);
  expect(find("lm")[0]).toBe("LoadModel");
});

test("letters out of order or missing are no match", () => {
  expect(find("zz")).toEqual([]);
  expect(find("dvae")).toEqual([]);
});

test("every word must be found, in any text, the first counting most", () => {
  const items = [
    { name: "Text", about: "A prompt" },
    { name: "Prompt", about: "Words" },
    { name: "Encode", about: "A prompt as text" },
  ];
  const by = { text: (item: (typeof items)[number]) => [item.name, item.about] };
  expect(search("prompt", items, by).map(({ item }) => item.name)).toEqual(["Prompt", "Text", "Encode"]);
  expect(search("text prompt", items, by).map(({ item }) => item.name)).toEqual(["Text", "Encode"]);
});

test("marks are the places of the query's letters, each once and in order", () => {
  const queries = ["l", "ae", "ima", "vae dec", "e e"];
  for (const query of queries) {
    for (const { item, marks } of search(query, names, { text: (name) => [name] })) {
      const [places = []] = marks;
      expect(places).toEqual([...new Set(places)].sort((one, other) => one - other));
      const letters = places.map((place) => item.charAt(place).toLowerCase()).join("");
      if (!query.includes(" ")) expect(letters).toBe(query);
    }
  }
  expect(search("ld", ["Load"], { text: (name) => [name] })[0]?.marks).toEqual([[0, 3]]);
});

test("equal matches stay in order", () => {
  expect(find("a", ["xa", "ya", "za"])).toEqual(["xa", "ya", "za"]);
  expect(find("狐", ["雪", "红狐", "狐狸"])).toEqual(["狐狸", "红狐"]);
});
