import { widgetOf } from "../graph/schema";
import { ChoiceWidget } from "./ChoiceWidget";
import { FileWidget } from "./FileWidget";
import type { FieldProps } from "./field";
import { JsonWidget } from "./JsonWidget";
import { ListWidget } from "./ListWidget";
import { ModelWidget } from "./ModelWidget";
import { NumberWidget } from "./NumberWidget";
import { PictureWidget } from "./PictureWidget";
import { SeedWidget } from "./SeedWidget";
import { TextWidget } from "./TextWidget";
import { ToggleWidget } from "./ToggleWidget";

/** The widget that an input's schema asks for. It holds nothing itself: the value comes in, the change goes out. */
export function Field(props: FieldProps) {
  const spec = widgetOf(props.port);
  switch (spec.is) {
    case "number":
      return <NumberWidget {...props} spec={spec} />;
    case "seed":
      return <SeedWidget {...props} spec={{ ...spec, integer: true, step: 1, slider: false }} />;
    case "choice":
      return <ChoiceWidget {...props} values={spec.nullable ? [null, ...spec.values] : spec.values} />;
    case "text":
      return <TextWidget {...props} multiline={spec.multiline} />;
    case "file":
      return <FileWidget {...props} resource={spec.resource} />;
    case "resource":
      return <TextWidget {...props} multiline={false} />;
    case "toggle":
      return spec.nullable ? <ChoiceWidget {...props} values={[null, true, false]} /> : <ToggleWidget {...props} />;
    case "picture":
      return <PictureWidget {...props} />;
    case "model":
      return <ModelWidget {...props} />;
    case "list":
      return <ListWidget {...props} />;
    case "json":
      return <JsonWidget {...props} />;
    case "none":
      return null;
  }
}
