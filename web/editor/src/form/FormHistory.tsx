import { Thumb } from "../panels/GalleryPanel";
import { picturesOf, pictureText } from "../panels/pictures";
import { useRuns } from "../state/runs";
import { report } from "../state/ui";
import { t } from "../text/text";

/** The pictures that this graph has made before. */
export function FormHistory({ name }: { name: string }) {
  const { runs, history, more, loadMore } = useRuns();
  const own = history.flatMap((id) => runs[id] ?? []).filter((run) => run.name === name);
  const pictures = own.flatMap(picturesOf);
  if (pictures.length === 0 && !more) return null;
  return (
    <section className="form-history">
      <h2 className="panel-heading">{t("form.history")}</h2>
      <ul className="gallery">
        {pictures.map((picture, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the same picture may be made twice
          <li key={`${picture.digest} ${index}`}>
            <Thumb
              picture={picture}
              among={pictures}
              label={t("gallery.open", { picture: pictureText(picture), name })}
            />
          </li>
        ))}
      </ul>
      {more && (
        <button type="button" className="quiet-button" onClick={() => void loadMore().catch(report)}>
          {t("gallery.more")}
        </button>
      )}
    </section>
  );
}
