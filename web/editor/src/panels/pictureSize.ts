import { useEffect, useState } from "react";
import { type Artifact, artifactUrl } from "../state/api";
import type { Size } from "./zoom";

/** The size of a picture; where the run has not told it, the picture itself is asked. */
export function usePictureSize(picture: Artifact): Size {
  const [natural, setNatural] = useState<{ digest: string; size: Size } | null>(null);
  const asked = picture.width == null || picture.height == null ? picture.digest : null;
  useEffect(() => {
    if (asked === null) return;
    const probe = new Image();
    probe.onload = () =>
      setNatural({ digest: asked, size: { width: probe.naturalWidth, height: probe.naturalHeight } });
    probe.src = artifactUrl({ digest: asked });
  }, [asked]);
  if (picture.width != null && picture.height != null) return { width: picture.width, height: picture.height };
  return natural !== null && natural.digest === asked ? natural.size : { width: 512, height: 512 };
}
