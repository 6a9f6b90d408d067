import { useState } from "react";
import { renamePublic } from "../graph/document";
import { useDocument } from "../state/document";
import { t } from "../text/text";

/** The name under which the form, the command line and the API know a port. */
export function PublicName({ side, name }: { side: "inputs" | "outputs"; name: string }) {
  const [draft, setDraft] = useState<string | null>(null);
  const leave = () => {
    const wish = draft?.trim() ?? "";
    setDraft(null);
    if (wish === "" || wish === name) return;
    useDocument.getState().edit("edit.renamePublic", (doc) => renamePublic(doc, side, name, wish));
  };
  return (
    <input
      className="public-name"
      aria-label={t("node.publicName")}
      title={t("node.publicName")}
      value={draft ?? name}
      size={Math.max(4, Math.min(16, (draft ?? name).length))}
      spellCheck={false}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={leave}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key === "Escape") setDraft(null);
      }}
    />
  );
}
