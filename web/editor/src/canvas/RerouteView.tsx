import type { NodeProps } from "@xyflow/react";
import { memo } from "react";
import { inputOf, outputOf, typeOf } from "../graph/catalog";
import { useCatalog } from "../state/catalog";
import { useDocument } from "../state/document";
import { useUi } from "../state/ui";
import { t } from "../text/text";
import { Graspable } from "./Graspable";
import { useBox } from "./now";
import { PortView } from "./PortView";

/** A reroute: a bend of a link that can be held. */
export const RerouteView = memo(function RerouteView({ id }: NodeProps) {
  const type = useCatalog((state) => typeOf(state.types, "Reroute"));
  const box = useBox(id);
  const state = useDocument((store) => store.document.nodes[id]?.state);
  const selected = useUi((store) => store.selection.has(id));
  const input = Object.keys(box?.ports.inputs ?? {})[0];
  const output = Object.keys(box?.ports.outputs ?? {})[0];
  return (
    <Graspable
      id={id}
      name={t("canvas.reroute.name", { node: id })}
      className="reroute"
      data-selected={selected || undefined}
      data-state={state}
    >
      {input !== undefined && <PortView node={id} name={input} side="in" spec={inputOf(type, input)} alone />}
      {output !== undefined && <PortView node={id} name={output} side="out" spec={outputOf(type, output)} alone />}
    </Graspable>
  );
});
