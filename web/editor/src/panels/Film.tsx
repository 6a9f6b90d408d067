import type { CSSProperties } from "react";
import { type Artifact, artifactUrl } from "../state/api";
import { pictureText } from "./pictures";

/** A video with what starts and stops it, silent and over and over. */
export function Film({ artifact, ...look }: { artifact: Artifact; className: string; style?: CSSProperties }) {
  return (
    <video
      {...look}
      src={artifactUrl(artifact)}
      aria-label={pictureText(artifact)}
      controls
      muted
      loop
      playsInline
      preload="metadata"
      onPointerDown={(event) => event.stopPropagation()} // what is around it would take the pointer from its controls
      onDoubleClick={(event) => event.stopPropagation()}
    />
  );
}

/** The first frame of a video, for a place that says itself what it is. */
export function Still({ artifact }: { artifact: Artifact }) {
  return <video src={artifactUrl(artifact)} aria-hidden="true" tabIndex={-1} muted playsInline preload="metadata" />;
}
