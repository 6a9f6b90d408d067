import type { NodeType, OutputPort } from "../graph/catalog";
import type { Port } from "../graph/document";
import { words } from "../graph/names";
import { useUi } from "../state/ui";
import { t } from "../text/text";
import { IconButton } from "../widgets/IconButton";
import { Expose } from "./Expose";

/** Every output of a node: look at what it gave, and let the form show it. */
export function NodeOutputs({ id, type }: { id: string; type: NodeType }) {
  if (type.outputs.length === 0) return null;
  return (
    <section>
      <h3 className="panel-heading">{t("node.outputs")}</h3>
      {type.outputs.map((port) => (
        <Output key={port.name} at={{ node: id, port: port.name }} port={port} />
      ))}
    </section>
  );
}

function Output({ at, port }: { at: Port; port: OutputPort }) {
  return (
    <div className="input-head">
      <span className="input-name">{words(port.name)}</span>
      <span className="input-type">{port.label}</span>
      <Expose
        side="outputs"
        at={at}
        between={
          <IconButton
            icon="eye"
            label={t("node.inspect", { port: at.port })}
            onClick={() => useUi.getState().inspect(at)}
            small
          />
        }
      />
    </div>
  );
}
