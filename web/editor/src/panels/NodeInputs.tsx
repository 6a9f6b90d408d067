import { useId } from "react";
import { selectNodes } from "../canvas/actions";
import type { InputPort, NodeType } from "../graph/catalog";
import { disconnect, type Port } from "../graph/document";
import { type Link, linksOf } from "../graph/links";
import { portPath, words } from "../graph/names";
import { hasWidget } from "../graph/schema";
import { useCatalog } from "../state/catalog";
import { useDocument } from "../state/document";
import { usePlan } from "../state/plan";
import { t } from "../text/text";
import { IconButton } from "../widgets/IconButton";
import { Widget } from "../widgets/Widget";
import { Expose } from "./Expose";

/** Every input of a node: its value or its link, what it means, and whether the form shows it. */
export function NodeInputs({ id, type }: { id: string; type: NodeType }) {
  if (type.inputs.length === 0) return null;
  return (
    <section>
      <h3 className="panel-heading">{t("node.inputs")}</h3>
      {type.inputs.map((port) => (
        <Input key={port.name} at={{ node: id, port: port.name }} port={port} />
      ))}
    </section>
  );
}

function Input({ at, port }: { at: Port; port: InputPort }) {
  const id = useId();
  const node = useDocument((state) => state.document.nodes[at.node]);
  const links = useLinks(at);
  const path = portPath(at);
  const problem = usePlan((state) => state.ofNode[at.node]?.find((trouble) => trouble.at === path));
  const settable = node !== undefined && hasWidget(node, port) && links.length === 0;
  return (
    <div className={`input${problem === undefined ? "" : " is-wrong"}`}>
      <div className="input-head">
        <label htmlFor={id} className="input-name">
          {words(port.name)}
        </label>
        <span className="input-type">{port.label}</span>
        {port.schema !== null && <Expose side="inputs" at={at} />}
      </div>
      {settable && <Widget node={at.node} port={port} look="block" id={id} describedBy={`${id}-what`} />}
      {links.map((link) => (
        <Linked key={`${portPath(link.from)} ${link.item}`} link={link} />
      ))}
      {!settable && links.length === 0 && (
        <p className="input-unlinked">{t(port.required ? "node.needsLink" : "node.notLinked")}</p>
      )}
      <p className="input-what" id={`${id}-what`}>
        {port.description}
      </p>
      {problem !== undefined && (
        <p className="refusal">
          {problem.what} {problem.fix}
        </p>
      )}
    </div>
  );
}

function useLinks(at: Port): Link[] {
  const document = useDocument((state) => state.document);
  return linksOf(document).filter(({ to }) => to.node === at.node && to.port === at.port);
}

function Linked({ link }: { link: Link }) {
  const types = useCatalog((state) => state.types);
  const from = portPath(link.from);
  const cut = () => useDocument.getState().edit("edit.unlink", (doc) => disconnect(doc, link, types));
  return (
    <div className="input-link">
      <button
        type="button"
        className="link-button"
        title={t("problems.goTo", { node: link.from.node })}
        onClick={() => selectNodes([link.from.node], true)}
      >
        ← <code>{from}</code>
      </button>
      <IconButton icon="close" label={t("node.unlink", { port: from })} onClick={cut} small />
    </div>
  );
}
