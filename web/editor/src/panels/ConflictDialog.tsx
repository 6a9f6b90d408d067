import { useEffect, useId, useState } from "react";
import { useDocument } from "../state/document";
import { report } from "../state/ui";
import { t } from "../text/text";
import { useConflict } from "./conflict";
import { Dialog } from "./Dialog";

const CHOICES = ["copy", "theirs", "mine"] as const;

/** Asked when a graph was changed elsewhere while it was edited here: which of the two stays? */
export function ConflictDialog() {
  const conflict = useDocument((state) => state.save.state === "conflict");
  const { later, ask } = useConflict();
  useEffect(() => {
    if (!conflict) ask(); // the next conflict is a new question
  }, [conflict, ask]);
  return conflict && !later ? <Question /> : null;
}

function Question() {
  const { name, theirs, resolve } = useDocument();
  const putOff = useConflict((state) => state.putOff);
  const [busy, setBusy] = useState(false);
  const id = useId();
  const choose = async (choice: (typeof CHOICES)[number]) => {
    setBusy(true);
    try {
      await resolve(choice);
    } catch (error) {
      report(error);
    } finally {
      setBusy(false);
    }
  };
  const gone = theirs === null;
  return (
    <Dialog className="conflict" labelledBy={`${id}-title`} describedBy={`${id}-what`} close={putOff}>
      <h2 id={`${id}-title`}>{t(gone ? "conflict.goneTitle" : "conflict.title", { name: name ?? "" })}</h2>
      <p id={`${id}-what`}>{t(gone ? "conflict.goneWhat" : "conflict.what")}</p>
      <div className="conflict-choices">
        {CHOICES.filter((choice) => !gone || choice !== "theirs").map((choice, index) => (
          <button
            key={choice}
            type="button"
            className={`choice-card${index === 0 ? " is-first" : ""}`}
            disabled={busy}
            onClick={() => void choose(choice)}
          >
            <strong>{t(`conflict.${choice}`)}</strong>
            <span>{t(gone && choice === "mine" ? "conflict.goneMineWhat" : `conflict.${choice}What`)}</span>
          </button>
        ))}
      </div>
      <button type="button" className="quiet-button" onClick={putOff}>
        {t("conflict.later")}
      </button>
    </Dialog>
  );
}
