import type { NodeType, OutputPort } from "../graph/catalog";
import { exposeOutput, hideOutput, type Port } from "../graph/document";
import { publicName } from "../graph/interface";
import { words } from "../graph/names";
import { useDocument } from "../state/document";
import { useUi } from "../state/ui";
import { t } from "../text/text";
import { IconButton } from "../widgets/IconButton";
import { PublicName } from "./PublicName";

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
  const name = useDocument((state) => publicName(state.document, "outputs", at));
  const toggle = () =>
    useDocument
      .getState()
      .edit(name === null ? "edit.expose" : "edit.hide", (doc) =>
        name === null ? exposeOutput(doc, at) : hideOutput(doc, at),
      );
  return (
    <div className="input-head">
      <span className="input-name">{words(port.name)}</span>
      <span className="input-type">{port.label}</span>
      {name !== null && <PublicName side="outputs" name={name} />}
      <IconButton
        icon="eye"
        label={t("node.inspect", { port: at.port })}
        onClick={() => useUi.getState().inspect(at)}
        small
      />
      <IconButton
        icon="form"
        label={t(name === null ? "node.expose" : "node.hide", { port: at.port })}
        pressed={name !== null}
        onClick={toggle}
        small
      />
    </div>
  );
}
