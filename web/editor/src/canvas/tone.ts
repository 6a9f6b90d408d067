import type { TypeJson } from "../graph/catalog";

/** The families of types that have a colour of their own. */
export const TONES = [
  "image",
  "mask",
  "latent",
  "conditioning",
  "denoiser",
  "textencoder",
  "vae",
  "scheduler",
  "scalar",
  "other",
] as const;

export type Tone = (typeof TONES)[number];

const NAMED: Record<string, Tone> = {
  Image: "image",
  Mask: "mask",
  Latent: "latent",
  BlankLatent: "latent",
  LatentDistribution: "latent",
  Conditioning: "conditioning",
  Denoiser: "denoiser",
  TextEncoder: "textencoder",
  VAE: "vae",
  Scheduler: "scheduler",
};

/** The colour family of a type; a list has its items', a choice of types that of the first one that has any. */
export function toneOf(type: TypeJson | null): Tone {
  if (type === null) return "other";
  switch (type.is) {
    case "named":
      return NAMED[type.name] ?? type.bases.map((base) => NAMED[base]).find((tone) => tone !== undefined) ?? "other";
    case "scalar":
      return type.name === "null" ? "other" : "scalar";
    case "choice":
      return "scalar";
    case "list":
      return toneOf(type.item);
    case "union":
      return type.members.map(toneOf).find((tone) => tone !== "other") ?? "other";
    default:
      return "other";
  }
}

/** Whether a type is a list, whatever its items are. */
export function isList(type: TypeJson | null): boolean {
  return type?.is === "list" || (type?.is === "union" && type.members.some(isList));
}
