import { stageNow, windowPoint } from "./stage";
import { useCanvas } from "./store";

/** The rectangle that is being drawn to select what lies in it. */
export function SelectionBox() {
  const box = useCanvas((state) => state.box);
  const stage = stageNow();
  if (box === null || stage === null) return null;
  const corner = stage.element.getBoundingClientRect();
  const { zoom } = stage.view();
  const at = windowPoint(box);
  const style = {
    left: at.x - corner.left,
    top: at.y - corner.top,
    width: box.width * zoom,
    height: box.height * zoom,
  };
  return <div className="selection-box" style={style} />;
}
