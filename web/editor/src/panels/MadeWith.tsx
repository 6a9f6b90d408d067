import { words } from "../graph/names";
import type { Artifact } from "../state/api";
import { useCatalog } from "../state/catalog";
import { useUi } from "../state/ui";
import { t } from "../text/text";
import { IconButton } from "../widgets/IconButton";
import { seedsIn, useOrigin, valuesIn } from "./origin";

/** The values that a picture was made with. */
export function MadeWith({ picture }: { picture: Artifact }) {
  const origin = useOrigin(picture);
  const types = useCatalog((state) => state.types);
  if (origin === null) return <aside className="details" aria-label={t("lightbox.details")} aria-busy="true" />;
  return (
    <aside className="details" aria-label={t("lightbox.details")}>
      <h3>
        {origin.name} <span>{t("lightbox.run", { id: origin.run })}</span>
      </h3>
      <dl>
        {valuesIn(origin, types).map(([name, value]) => (
          <div key={name}>
            <dt>{words(name)}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {seedsIn(origin, types).map(({ name, path, seed }) => (
          <div key={path}>
            <dt>{name === path ? path : words(name)}</dt>
            <dd>
              <code>{seed}</code>
              <IconButton
                icon="copy"
                label={t("lightbox.copySeed", { seed })}
                onClick={() => void copy(String(seed))}
                small
              />
            </dd>
          </div>
        ))}
      </dl>
    </aside>
  );
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    useUi.getState().toast("lightbox.copied", { text }, "ok");
  } catch {
    useUi.getState().toast("lightbox.notCopied", { text }, "problem");
  }
}
