import { useEffect, useState } from "react";
import type { Catalog, Json } from "../graph/catalog";
import { inputOf, typeOf } from "../graph/catalog";
import { portPath, readPort } from "../graph/names";
import { widgetOf } from "../graph/schema";
import { type Artifact, api, type Origin } from "../state/api";
import { report } from "../state/ui";

const known = new Map<string, Promise<Origin>>();
const MOST_KNOWN = 200;
/** A picture that is only passed by is not asked about. */
const PATIENCE = 150;

/** Which graph and values made a file. */
export function originOf(artifact: Artifact): Promise<Origin> {
  const found = known.get(artifact.digest);
  if (found !== undefined) return found;
  const asked = api.origin(artifact.digest);
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(artifact.digest, asked);
  asked.catch(() => known.delete(artifact.digest));
  return asked;
}

/** The origin of a file, null until it is known. */
export function useOrigin(artifact: Artifact | undefined): Origin | null {
  const [found, setFound] = useState<{ digest: string; origin: Origin } | null>(null);
  useEffect(() => {
    if (artifact === undefined) return;
    let wanted = true;
    const ask = () =>
      originOf(artifact).then(
        (origin) => wanted && setFound({ digest: artifact.digest, origin }),
        (error: unknown) => wanted && report(error),
      );
    const timer = setTimeout(ask, PATIENCE);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [artifact]);
  return found !== null && found.digest === artifact?.digest ? found.origin : null;
}

/** A seed in a graph: its public name where it has one, else "node.port". */
export interface MadeSeed {
  name: string;
  path: string;
  seed: number;
}

/** The seeds in a graph, in its order. */
export function seedsIn({ graph }: Origin, catalog: Catalog): MadeSeed[] {
  const names = Object.entries(graph.interface?.inputs ?? {});
  return Object.entries(graph.nodes).flatMap(([node, { type, inputs }]) =>
    Object.entries(inputs ?? {}).flatMap(([port, value]): MadeSeed[] => {
      const input = inputOf(typeOf(catalog, type), port);
      if (typeof value !== "number" || input === undefined || widgetOf(input).is !== "seed") return [];
      const path = portPath({ node, port });
      return [{ name: names.find(([, other]) => other === path)?.[0] ?? path, path, seed: value }];
    }),
  );
}

/** The values that the graph's interface shows, by public name; seeds, linked and unset ones are left out. */
export function valuesIn(origin: Origin, catalog: Catalog): [string, string][] {
  const { nodes, interface: shown } = origin.graph;
  const seeds = new Set(seedsIn(origin, catalog).map(({ path }) => path));
  return Object.entries(shown?.inputs ?? {}).flatMap(([name, path]): [string, string][] => {
    const { node, port } = readPort(path);
    const text = seeds.has(path) ? null : written(nodes[node]?.inputs?.[port]);
    return text === null ? [] : [[name, text]];
  });
}

function written(value: Json | undefined): string | null {
  if (value === undefined || value === null || value === "") return null;
  return typeof value === "object" ? null : String(value);
}
