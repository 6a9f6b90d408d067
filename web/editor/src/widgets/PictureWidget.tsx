import { type ClipboardEvent, type DragEvent, useEffect, useRef, useState } from "react";
import { inputUrl } from "../state/api";
import { textOf } from "../state/ui";
import { t } from "../text/text";
import type { FieldProps } from "./field";
import { Icon } from "./Icon";
import { IconButton } from "./IconButton";
import { TextWidget } from "./TextWidget";
import { pictureIn, upload } from "./upload";

/** So long a refusal is shown. */
const SHOWN = 8000;

/** How a picture on its way is: the part that has arrived, or why it was not taken. */
type Sending = { part: number } | { problem: string } | null;

/** A picture that the graph reads: drop one, paste one, choose a file, or write the name of one in the input folders. */
export function PictureWidget(props: FieldProps) {
  const { look, name, value, change, describedBy } = props;
  const file = useRef<HTMLInputElement>(null);
  const [sending, setSending] = useState<Sending>(null);
  const [over, setOver] = useState(false);
  useEffect(() => {
    if (sending === null || !("problem" in sending)) return;
    const timer = setTimeout(() => setSending(null), SHOWN);
    return () => clearTimeout(timer);
  }, [sending]);
  const held = typeof value === "string" && value !== "" ? value : null;

  const bring = async (picture: File | null) => {
    if (picture === null) return;
    setSending({ part: 0 });
    try {
      const kept = await upload(picture, (part) => setSending({ part }));
      setSending(null);
      change(kept.name);
    } catch (error) {
      setSending({ problem: textOf(error) });
    }
  };
  // The canvas opens a dropped or pasted picture as a graph; here it is meant for the input.
  const drop = (event: DragEvent) => {
    event.preventDefault();
    event.stopPropagation();
    setOver(false);
    void bring(pictureIn(event.dataTransfer));
  };
  const dragOver = (event: DragEvent) => {
    event.preventDefault();
    event.stopPropagation();
    setOver(true);
  };
  const paste = (event: ClipboardEvent) => {
    const picture = pictureIn(event.clipboardData);
    if (picture === null) return;
    event.preventDefault();
    event.stopPropagation();
    void bring(picture);
  };
  const state = `${over ? " is-over" : ""}${sending !== null && "problem" in sending ? " is-refused" : ""}`;

  return (
    <fieldset
      className={`picture picture-${look}${state}`}
      aria-label={name}
      onDrop={drop}
      onDragOver={dragOver}
      onDragLeave={() => setOver(false)}
      onPaste={paste}
    >
      {look === "block" && <Thumbnail name={held} choose={() => file.current?.click()} />}
      <div className="picture-line">
        {look === "row" && held !== null && <Small key={held} name={held} />}
        <TextWidget {...props} multiline={false} />
        <IconButton
          icon="upload"
          label={t("widget.choosePicture", { name })}
          onClick={() => file.current?.click()}
          small
        />
      </div>
      <input
        ref={file}
        type="file"
        className="visually-hidden"
        accept="image/png,image/jpeg,image/webp,image/bmp,image/gif,image/tiff"
        tabIndex={-1}
        aria-label={t("widget.choosePicture", { name })}
        aria-describedby={describedBy}
        onChange={(event) => {
          void bring(event.target.files?.[0] ?? null);
          event.target.value = ""; // the same file may be chosen again
        }}
      />
      {sending !== null && <Progress sending={sending} look={look} />}
    </fieldset>
  );
}

function Thumbnail({ name, choose }: { name: string | null; choose: () => void }) {
  const [failed, setFailed] = useState<string | null>(null);
  return (
    <button type="button" className="picture-drop" onClick={choose}>
      {name !== null && failed !== name ? (
        <img src={inputUrl(name, 512)} alt={name} onError={() => setFailed(name)} />
      ) : (
        <span className="picture-hint">
          <Icon name="picture" size={24} />
          {name === null ? t("widget.dropPicture") : t("widget.pictureNotSeen")}
        </span>
      )}
    </button>
  );
}

function Small({ name }: { name: string }) {
  const [failed, setFailed] = useState(false);
  if (failed) return null;
  return <img className="picture-small" src={inputUrl(name, 64)} alt="" onError={() => setFailed(true)} />;
}

function Progress({ sending, look }: { sending: NonNullable<Sending>; look: "row" | "block" }) {
  if ("problem" in sending) {
    return (
      <p className={`refusal${look === "row" ? " is-floating" : ""}`} role="alert">
        {sending.problem}
      </p>
    );
  }
  return <progress className="picture-progress" value={sending.part} max={1} aria-label={t("widget.uploading")} />;
}
