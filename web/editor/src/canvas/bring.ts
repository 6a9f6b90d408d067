import { readDocument } from "../graph/clipboard";
import { addNode } from "../graph/document";
import { graphInPicture, isPicture } from "../graph/picture";
import { api } from "../state/api";
import { useCatalog } from "../state/catalog";
import { useDocument } from "../state/document";
import { report, useUi } from "../state/ui";
import { pasteAt, selectNodes } from "./actions";
import type { Point } from "./rect";
import { graphPoint } from "./stage";

/** Files that came from outside: a graph, or a picture with one, is opened; other pictures become nodes that load them. */
export async function bringFiles(files: readonly File[], at: Point): Promise<void> {
  try {
    let place = at;
    for (const file of files) {
      const text = await graphIn(file);
      if (text !== null) {
        await useDocument.getState().openDocument(readDocument(text), file.name.replace(/\.\w+$/, ""));
        return;
      }
      if (file.type.startsWith("image/")) {
        await bringPicture(file, place);
        place = { x: place.x + 40, y: place.y + 40 };
      } else {
        useUi.getState().toast("canvas.bring.unknown", { file: file.name }, "problem");
      }
    }
  } catch (error) {
    report(error);
  }
}

/** A text that was pasted: copied nodes go where the pointer is, a whole graph too. */
export function bringText(text: string, at: Point): void {
  if (text.trim() !== "") pasteAt(text, at);
}

async function graphIn(file: File): Promise<string | null> {
  if (file.type === "application/json" || file.name.endsWith(".json")) return file.text();
  const bytes = await file.arrayBuffer();
  return isPicture(bytes) ? graphInPicture(bytes) : null;
}

async function bringPicture(file: File, at: Point): Promise<void> {
  const spec = useCatalog.getState().types.LoadImage;
  if (spec === undefined) return;
  const { name } = await api.upload(file);
  const { x, y } = graphPoint(at);
  let made: string | null = null;
  useDocument.getState().edit("canvas.edit.picture", (doc) => {
    const added = addNode(doc, spec, [Math.round(x), Math.round(y)], { file: name });
    made = added.id;
    return added.doc;
  });
  if (made !== null) selectNodes([made], true);
}
