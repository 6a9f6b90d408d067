import { useEffect, useState } from "react";
import { type Artifact, artifactUrl } from "../state/api";
import { isPlayed, isSound } from "./pictures";
import type { Size } from "./zoom";

/** What the controls of a sound take. */
const OF_SOUND: Size = { width: 400, height: 60 };

/** The size of a picture or video; where the run has not told it, the file itself is asked. */
export function usePictureSize(picture: Artifact): Size {
  const [natural, setNatural] = useState<{ digest: string; size: Size } | null>(null);
  const heard = isSound(picture);
  const moves = isPlayed(picture);
  const asked = !heard && (picture.width == null || picture.height == null) ? picture.digest : null;
  useEffect(() => {
    if (asked === null) return;
    const tell = (width: number, height: number) => setNatural({ digest: asked, size: { width, height } });
    const probe = moves ? document.createElement("video") : new Image();
    if (probe instanceof HTMLVideoElement) {
      probe.preload = "metadata";
      probe.onloadedmetadata = () => tell(probe.videoWidth, probe.videoHeight);
    } else probe.onload = () => tell(probe.naturalWidth, probe.naturalHeight);
    probe.src = artifactUrl({ digest: asked });
  }, [asked, moves]);
  if (heard) return OF_SOUND;
  if (picture.width != null && picture.height != null) return { width: picture.width, height: picture.height };
  return natural !== null && natural.digest === asked ? natural.size : { width: 512, height: 512 };
}
