import type { CSSProperties } from "react";
import { type Artifact, artifactUrl } from "../state/api";
import { Icon } from "../widgets/Icon";
import { isSound, pictureText } from "./pictures";

/** A video or a sound with what starts and stops it; a video is silent and over and over. */
export function Film({ artifact, ...look }: { artifact: Artifact; className: string; style?: CSSProperties }) {
  const shared = {
    src: artifactUrl(artifact),
    "aria-label": pictureText(artifact),
    controls: true,
    preload: "metadata",
    onPointerDown: stay, // what is around it would take the pointer from its controls
    onDoubleClick: stay,
  } as const;
  return isSound(artifact) ? <audio {...shared} {...look} /> : <video {...look} {...shared} muted loop playsInline />;
}

function stay(event: { stopPropagation: () => void }): void {
  event.stopPropagation();
}

/** The first frame of a video, or a note for a sound, for a place that says itself what it is. */
export function Still({ artifact }: { artifact: Artifact }) {
  if (isSound(artifact)) return <Icon name="sound" size={24} />;
  return <video src={artifactUrl(artifact)} aria-hidden="true" tabIndex={-1} muted playsInline preload="metadata" />;
}
