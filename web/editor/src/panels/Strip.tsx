import { type Artifact, artifactUrl } from "../state/api";
import { t } from "../text/text";
import { Still } from "./Film";
import { isPlayed, pictureText } from "./pictures";

interface StripProps {
  items: readonly Artifact[];
  chosen: Artifact;
  /** While two are compared: the one that stays. */
  other: Artifact | null;
  choose: (item: Artifact) => void;
}

/** All pictures, small: to go to one, or to choose the other one while two are compared. */
export function Strip({ items, chosen, other, choose }: StripProps) {
  return (
    <nav className="strip" aria-label={t(other === null ? "lightbox.strip" : "lightbox.stripCompare")}>
      {items.map((item, index) => (
        <button
          // biome-ignore lint/suspicious/noArrayIndexKey: the same picture may be made twice
          key={`${item.digest} ${index}`}
          ref={item === chosen ? reveal : undefined}
          type="button"
          className={`strip-item${item === other ? " is-other" : ""}`}
          aria-current={item === chosen}
          aria-label={pictureText(item)}
          onClick={() => choose(item)}
        >
          {isPlayed(item) ? (
            <Still artifact={item} />
          ) : (
            <img src={artifactUrl(item, 128)} alt="" loading="lazy" draggable={false} />
          )}
        </button>
      ))}
    </nav>
  );
}

function reveal(element: HTMLElement | null): void {
  element?.scrollIntoView?.({ block: "nearest", inline: "nearest" });
}
