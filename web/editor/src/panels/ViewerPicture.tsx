import type { CSSProperties } from "react";
import { type Artifact, artifactUrl } from "../state/api";
import { Film } from "./Film";
import { isPlayed, pictureText } from "./pictures";

/** A picture or video at its full size, laid out by its stage. */
export function ViewerPicture({ artifact, style }: { artifact: Artifact; style: CSSProperties }) {
  if (isPlayed(artifact)) return <Film className="viewer-picture" style={style} artifact={artifact} />;
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
