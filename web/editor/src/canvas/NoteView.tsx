import type { NodeProps } from "@xyflow/react";
import { type KeyboardEvent, memo, useLayoutEffect, useRef, useState } from "react";
import { setInput } from "../graph/document";
import { useDocument } from "../state/document";
import { useUi } from "../state/ui";
import { t } from "../text/text";
import { Graspable } from "./Graspable";

/** A note: a remark on the canvas. Twice or Enter writes in it, Escape ends. */
export const NoteView = memo(function NoteView({ id }: NodeProps) {
  const text = useDocument((state) => state.document.nodes[id]?.inputs?.text);
  const state = useDocument((store) => store.document.nodes[id]?.state);
  const selected = useUi((store) => store.selection.has(id));
  const [writing, setWriting] = useState(false);
  const shown = typeof text === "string" ? text : "";
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (event.key !== "Enter" || event.target !== event.currentTarget) return;
    event.preventDefault();
    setWriting(true);
  };
  return (
    <Graspable
      id={id}
      name={t("canvas.note.name", { node: id, text: shown })}
      className="note"
      data-selected={selected || undefined}
      data-state={state}
      onDoubleClick={() => setWriting(true)}
      onKeyDown={onKeyDown}
    >
      {writing ? (
        <Writing id={id} text={shown} done={() => setWriting(false)} />
      ) : (
        <div className="note-text">{shown || <span className="note-empty">{t("canvas.note.empty")}</span>}</div>
      )}
      <span className="node-resize nodrag" data-resize="node" />
    </Graspable>
  );
});

function Writing({ id, text, done }: { id: string; text: string; done: () => void }) {
  const area = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    area.current?.focus({ preventScroll: true });
    area.current?.setSelectionRange(area.current.value.length, area.current.value.length);
  }, []);
  return (
    <textarea
      ref={area}
      className="note-writing nodrag nowheel"
      aria-label={t("canvas.note.write")}
      value={text}
      onChange={({ target }) =>
        useDocument
          .getState()
          .edit("canvas.edit.note", (doc) => setInput(doc, { node: id, port: "text" }, target.value), `note ${id}`)
      }
      onBlur={done}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        event.stopPropagation();
        event.currentTarget.closest<HTMLElement>("[data-node]")?.focus();
        done();
      }}
    />
  );
}
