import { useState } from "react";
import { type Artifact, artifactUrl } from "../state/api";
import { useDocument } from "../state/document";
import { type OpenLightbox, report, useUi } from "../state/ui";
import { t } from "../text/text";
import { Icon } from "../widgets/Icon";
import { IconButton } from "../widgets/IconButton";
import { Compare } from "./Compare";
import { Dialog } from "./Dialog";
import { MadeWith } from "./MadeWith";
import { originOf } from "./origin";
import { usePictureSize } from "./pictureSize";
import { Stage } from "./Stage";
import { Strip } from "./Strip";
import { useActs } from "./useActs";
import { ViewerPicture } from "./ViewerPicture";
import { ACTUAL, FIT, type Zoom } from "./zoom";

/** Pictures shown large: walk through them, zoom, compare two, and go back to the graph that made one. */
export function Lightbox() {
  const lightbox = useUi((state) => state.lightbox);
  if (lightbox === null) return null;
  const at = Math.min(Math.max(lightbox.index, 0), lightbox.items.length - 1);
  const picture = lightbox.items[at];
  return picture === undefined ? null : <Open {...lightbox} at={at} picture={picture} />;
}

interface OpenProps extends Omit<OpenLightbox, "index"> {
  at: number;
  picture: Artifact;
}

function Open({ items, at, picture, compare }: OpenProps) {
  const { openLightbox } = useUi.getState();
  const [zoom, setZoom] = useState<Zoom>(FIT);
  const [details, setDetails] = useState(false);
  const size = usePictureSize(picture);
  const close = () => openLightbox(null);
  const go = (to: number, other = compare) => {
    const inside = Math.min(items.length - 1, Math.max(0, to));
    openLightbox({ items, index: inside, ...(other ? { compare: other } : {}) });
  };
  const walk = (to: number) => {
    if (compare === undefined) go(to); // while two are compared, the arrows move the line
  };
  const toggleCompare = () => {
    const other = compare === undefined ? (items[at + 1] ?? items[at - 1]) : undefined;
    openLightbox({ items, index: at, ...(other ? { compare: other } : {}) });
  };
  const swap = () => {
    const other = compare === undefined ? -1 : items.indexOf(compare);
    if (other >= 0) go(other, picture);
  };
  const acts: Record<string, () => void> = {
    ArrowLeft: () => walk(at - 1),
    ArrowRight: () => walk(at + 1),
    Home: () => walk(0),
    End: () => walk(items.length - 1),
    "0": () => setZoom(FIT),
    "1": () => setZoom(ACTUAL),
    c: toggleCompare,
    s: swap,
    i: () => setDetails(!details),
    o: () => void openGraph(picture, close),
  };
  useActs(acts);
  return (
    <Dialog className="lightbox" label={t("lightbox.title")} close={close}>
      <header className="lightbox-head">
        <p className="lightbox-name">
          <strong>{picture.file}</strong>
          <span>
            {size.width} × {size.height}
          </span>
          <span>{placeText(items, picture)}</span>
        </p>
        <div className="lightbox-tools">
          <IconButton
            icon="fit"
            label={t("lightbox.fit")}
            keys="0"
            pressed={zoom.scale === null}
            onClick={() => setZoom(FIT)}
          />
          <IconButton
            icon="actual"
            label={t("lightbox.actual")}
            keys="1"
            pressed={zoom.scale === 1}
            onClick={() => setZoom(ACTUAL)}
          />
          <IconButton
            icon="compare"
            label={t("lightbox.compare")}
            keys="C"
            pressed={compare !== undefined}
            disabled={items.length < 2}
            onClick={toggleCompare}
          />
          <IconButton
            icon="settings"
            label={t("lightbox.details")}
            keys="I"
            pressed={details}
            onClick={() => setDetails(!details)}
          />
          <IconButton
            icon="graph"
            label={t("lightbox.openGraph")}
            keys="O"
            onClick={() => void openGraph(picture, close)}
          />
          <a
            className="icon-button"
            href={artifactUrl(picture)}
            download={picture.file}
            title={t("lightbox.download")}
            aria-label={t("lightbox.download")}
          >
            <Icon name="download" />
          </a>
          <IconButton icon="close" label={t("lightbox.close")} keys="Esc" onClick={close} />
        </div>
      </header>
      <div className="lightbox-middle">
        {compare === undefined ? (
          <div className="lightbox-one">
            <Stage picture={size} zoom={zoom} setZoom={setZoom}>
              {(style) => <ViewerPicture artifact={picture} style={style} />}
            </Stage>
            {items.length > 1 && (
              <>
                <span className="lightbox-turn is-left">
                  <IconButton
                    icon="left"
                    label={t("lightbox.before")}
                    keys="←"
                    disabled={at === 0}
                    onClick={() => go(at - 1)}
                  />
                </span>
                <span className="lightbox-turn is-right">
                  <IconButton
                    icon="right"
                    label={t("lightbox.after")}
                    keys="→"
                    disabled={at === items.length - 1}
                    onClick={() => go(at + 1)}
                  />
                </span>
              </>
            )}
          </div>
        ) : (
          <Compare
            left={picture}
            right={compare}
            names={[placeText(items, picture), placeText(items, compare)]}
            size={size}
            zoom={zoom}
            setZoom={setZoom}
          />
        )}
        {details && <MadeWith picture={picture} />}
      </div>
      {items.length > 1 && (
        <Strip
          items={items}
          chosen={compare ?? picture}
          other={compare === undefined ? null : picture}
          choose={(item) => (compare === undefined ? go(items.indexOf(item)) : go(at, item))}
        />
      )}
    </Dialog>
  );
}

function placeText(items: readonly Artifact[], item: Artifact): string {
  return t("lightbox.place", { place: items.indexOf(item) + 1, count: items.length });
}

async function openGraph(picture: Artifact, close: () => void): Promise<void> {
  try {
    const { graph, name } = await originOf(picture);
    await useDocument.getState().openDocument(graph, graph.name ?? name);
    close();
  } catch (error) {
    report(error);
  }
}
