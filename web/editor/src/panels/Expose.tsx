import { exposeInput, exposeOutput, hideInput, hideOutput, type Port } from "../graph/document";
import { publicName } from "../graph/interface";
import { useDocument } from "../state/document";
import { t } from "../text/text";
import { IconButton } from "../widgets/IconButton";
import { PublicName } from "./PublicName";

const SHOW = { inputs: exposeInput, outputs: exposeOutput };
const HIDE = { inputs: hideInput, outputs: hideOutput };

/** The name under which the form shows a port, if it does; `between` stands before the button that changes it. */
export function Expose({ side, at, between }: { side: "inputs" | "outputs"; at: Port; between?: React.ReactNode }) {
  const name = useDocument((state) => publicName(state.document, side, at));
  const toggle = () =>
    useDocument
      .getState()
      .edit(name === null ? "edit.expose" : "edit.hide", (doc) => (name === null ? SHOW : HIDE)[side](doc, at));
  return (
    <>
      {name !== null && <PublicName side={side} name={name} />}
      {between}
      <IconButton
        icon="form"
        label={t(name === null ? "node.expose" : "node.hide", { port: at.port })}
        pressed={name !== null}
        onClick={toggle}
        small
      />
    </>
  );
}
