import type { EdgeProps } from "@xyflow/react";
import { memo } from "react";
import { inferKinds } from "../graph/kinds";
import { portPath } from "../graph/names";
import { useCatalog } from "../state/catalog";
import { useDocument } from "../state/document";
import { usePlan } from "../state/plan";
import { useRuns } from "../state/runs";
import { curve } from "./curve";
import { PORT_REACH } from "./scene";
import { useCanvas } from "./store";
import { isList, toneOf } from "./tone";

/** A link: a curve in the colour of what flows in it, doubled where that is a list. */
export const LinkView = memo(function LinkView(props: EdgeProps) {
  const { id, source, target, sourceHandleId, targetHandleId } = props;
  const models = useCatalog((state) => state.models);
  const types = useCatalog((state) => state.types);
  const from = { node: source, port: sourceHandleId ?? "" };
  const to = { node: target, port: targetHandleId ?? "" };
  const tone = useDocument((state) => toneOf(inferKinds(state.document, types, models).type(from, "out")));
  const list = useDocument((state) => isList(inferKinds(state.document, types, models).type(from, "out")));
  const wrong = usePlan((state) => state.ofNode[target]?.some(({ at }) => at === portPath(to)) ?? false);
  const idle = useDocument(
    ({ document: { nodes } }) => nodes[source]?.state === "mute" || nodes[target]?.state === "mute",
  );
  const flowing = useRuns((state) => state.nodes[target]?.state === "running");
  const selected = useCanvas((state) => state.links.has(id));
  const taken = useCanvas((state) => state.pending?.taken === (props.data?.link ?? null));
  // React Flow gives the outer edge of the port's square; the port itself is in its middle.
  const start = { x: props.sourceX - PORT_REACH, y: props.sourceY };
  const end = { x: props.targetX + PORT_REACH, y: props.targetY };
  const path = curve(start, end);
  return (
    <g
      className="link"
      data-tone={tone}
      data-list={list || undefined}
      data-selected={selected || undefined}
      data-wrong={wrong || undefined}
      data-idle={idle || undefined}
      data-flowing={flowing || undefined}
      data-taken={taken || undefined}
    >
      <path className="link-reach" d={path} />
      <path className="link-line" d={path} />
      {list && <path className="link-core" d={path} />}
    </g>
  );
});
