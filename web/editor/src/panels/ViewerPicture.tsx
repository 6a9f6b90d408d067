import type { CSSProperties } from "react";
import { type Artifact, artifactUrl } from "../state/api";
import { pictureText } from "./pictures";

/** A picture at its full size, laid out by its stage. */
export function ViewerPicture({ artifact, style }: { artifact: Artifact; style: CSSProperties }) {
  return (
    <img
      className="viewer-picture"
      style={style}
      src={artifactUrl(artifact)}
      alt={pictureText(artifact)}
      draggable={false}
    />
  );
}
