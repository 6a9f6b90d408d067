import type { Artifact, Run } from "../state/api";

/** Whether a file of a run can be shown or heard: a picture, a video or a sound. */
export function isShown(artifact: Artifact): boolean {
  return artifact.media_type.startsWith("image/") || isPlayed(artifact);
}

/** Whether a file of a run is a video or a sound. */
export function isPlayed(artifact: Artifact): boolean {
  return artifact.media_type.startsWith("video/") || isSound(artifact);
}

/** Whether a file of a run is a sound. */
export function isSound(artifact: Artifact): boolean {
  return artifact.media_type.startsWith("audio/");
}

/** The pictures, videos and sounds that a run made. */
export function picturesOf(run: Run): Artifact[] {
  return run.files.filter(isShown);
}

/** What a picture is called: its file, and its size where it is known. */
export function pictureText({ file, width, height }: Artifact): string {
  return width != null && height != null ? `${file}, ${width} × ${height}` : file;
}
