import { expect, test } from "vitest";
import { TYPES } from "./fixture";
import { findOffers, offersFor } from "./offers";

const latent = TYPES.Empty?.outputs[0]?.type ?? { is: "anything" as const };
const names = (offers: { type: { id: string }; port: string | null }[]) =>
  offers.map(({ type, port }) => `${type.id} ${port}`);

test("without a link every type is offered, by category", () => {
  expect(offersFor(TYPES, null).map(({ type }) => type.id)).toEqual([
    "Switch",
    "Decode",
    "Empty",
    "Load",
    "Sample",
    "Note",
  ]);
});

test("an output is offered what takes it, what takes anything last", () => {
  expect(names(offersFor(TYPES, { type: latent, side: "out" }))).toEqual([
    "Decode latent",
    "Sample latent",
    "Switch a",
  ]);
});

test("an input is offered what gives it", () => {
  expect(names(offersFor(TYPES, { type: latent, side: "in" }))).toEqual([
    "Empty latent",
    "Sample latent",
    "Switch value",
  ]);
});

test("letters find names, categories and summaries, and mark the name", () => {
  const found = findOffers(offersFor(TYPES, null), "dec");
  expect(found[0]).toMatchObject({ offer: { type: { id: "Decode" } }, marks: [0, 1, 2] });
  expect(findOffers(offersFor(TYPES, null), "sampling")[0]?.offer.type.id).toBe("Sample");
  expect(findOffers(offersFor(TYPES, null), "makes load").map(({ offer }) => offer.type.id)).toContain("Load");
  expect(findOffers(offersFor(TYPES, null), "zzz")).toEqual([]);
});
