import type { Artifact, Run } from "../state/api";

/** Whether a file of a run can be shown: a picture, or a video. */
export function isShown(artifact: Artifact): boolean {
  return artifact.media_type.startsWith("image/") || isVideo(artifact);
}

/** Whether a file of a run is a video. */
export function isVideo(artifact: Artifact): boolean {
  return artifact.media_type.startsWith("video/");
}

/** The pictures and videos that a run made. */
export function picturesOf(run: Run): Artifact[] {
  return run.files.filter(isShown);
}

/** What a picture is called: its file, and its size where it is known. */
export function pictureText({ file, width, height }: Artifact): string {
  return width != null && height != null ? `${file}, ${width} × ${height}` : file;
}
