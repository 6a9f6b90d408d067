import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import { type Port, setInput } from "../graph/document";
import { search } from "../graph/fuzzy";
import { portPath } from "../graph/names";
import { useCatalog } from "../state/catalog";
import { type OpenPalette, useUi } from "../state/ui";
import { t } from "../text/text";
import { addNodeHere, docNow, focusPort, knownNow, link } from "./actions";
import { isPointed } from "./lastPointer";
import { kindsNow, sceneNow } from "./now";
import { findOffers, type Offer, type Origin, offersFor } from "./offers";
import { middle } from "./rect";
import { say, useCanvas } from "./store";
import { toneOf } from "./tone";
import { begin, endsOf, whyNot } from "./wire";

/** One line of the palette: a node type to add, or a port of this graph to link to. */
type Choice =
  | { is: "type"; offer: Offer; marks: readonly number[] }
  | { is: "port"; port: Port; label: string; marks: readonly number[] };

const SIZE = { width: 380, height: 400 };
const EDGE = 8;

/** The palette to add nodes with, where it is open. */
export function Palette() {
  const palette = useUi((state) => state.palette);
  return palette === null ? null : <OpenedPalette key={`${palette.at.x} ${palette.at.y}`} palette={palette} />;
}

function OpenedPalette({ palette }: { palette: OpenPalette }) {
  const types = useCatalog((state) => state.types);
  const links = useCanvas((state) => state.paletteLinks);
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const root = useRef<HTMLDivElement>(null);
  const before = useRef(document.activeElement);
  const [query, setQuery] = useState("");
  const [index, setIndex] = useState(0);

  const origin = useMemo(() => originOf(palette), [palette]);
  const offers = useMemo(() => offersFor(types, origin), [types, origin]);
  const ports = useMemo(() => (links && palette.from ? fittingPorts(palette.from) : []), [links, palette]);
  const choices = useMemo(() => choicesFor(query, ports, offers), [query, ports, offers]);
  const active = choices[Math.min(index, choices.length - 1)];

  useLayoutEffect(() => input.current?.focus({ preventScroll: true }), []);
  useEffect(() => {
    const leave = (event: PointerEvent) => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) close();
    };
    window.addEventListener("pointerdown", leave, true);
    return () => window.removeEventListener("pointerdown", leave, true);
  }, []);
  useEffect(() => {
    document.getElementById(`${id}-${index}`)?.scrollIntoView({ block: "nearest" });
  }, [id, index]);

  const take = (choice: Choice | undefined) => {
    if (choice === undefined) return;
    // Where a list was asked for by key, nobody has pointed at a place.
    const pointed = !links && isPointed();
    close();
    choose(choice, palette, pointed);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const last = choices.length - 1;
    if (event.nativeEvent.isComposing) return;
    if (event.key === "ArrowDown") setIndex(index >= last ? 0 : index + 1);
    else if (event.key === "ArrowUp") setIndex(index <= 0 ? last : index - 1);
    else if (event.key === "PageDown") setIndex(Math.min(index + 8, last));
    else if (event.key === "PageUp") setIndex(Math.max(index - 8, 0));
    else if (event.key === "Enter") take(active);
    else if (event.key === "Escape" || event.key === "Tab") {
      close();
      if (before.current instanceof HTMLElement) before.current.focus({ preventScroll: true });
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div
      ref={root}
      className="palette"
      role="dialog"
      aria-label={t(links ? "canvas.palette.link" : "canvas.palette.add")}
      style={{
        left: Math.max(EDGE, Math.min(palette.at.x, window.innerWidth - SIZE.width - EDGE)),
        top: Math.max(EDGE, Math.min(palette.at.y, window.innerHeight - SIZE.height - EDGE)),
      }}
      onKeyDown={onKeyDown}
    >
      <input
        ref={input}
        className="palette-input"
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={active === undefined ? undefined : `${id}-${choices.indexOf(active)}`}
        aria-label={t("canvas.palette.search")}
        placeholder={placeholderOf(palette)}
        autoComplete="off"
        spellCheck={false}
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          setIndex(0);
        }}
      />
      <div className="palette-list" id={`${id}-list`} role="listbox" aria-label={t("canvas.palette.found")}>
        {choices.map((choice, place) => (
          <div
            key={keyOf(choice)}
            id={`${id}-${place}`}
            className="palette-item"
            role="option"
            tabIndex={-1}
            aria-selected={choice === active}
            onPointerMove={() => setIndex(place)}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => take(choice)}
            onKeyDown={() => undefined}
          >
            <Line choice={choice} />
          </div>
        ))}
      </div>
      {choices.length === 0 && <p className="palette-none">{t("canvas.palette.none")}</p>}
      <p className="palette-summary">{summaryOf(active)}</p>
    </div>
  );
}

function Line({ choice }: { choice: Choice }) {
  if (choice.is === "port") {
    return (
      <>
        <span className="palette-dot is-link" />
        <Marked text={portPath(choice.port)} marks={choice.marks} />
        <span className="palette-side">{choice.label}</span>
      </>
    );
  }
  const { type, port } = choice.offer;
  return (
    <>
      <span className="palette-dot" data-tone={toneOf(type.outputs[0]?.type ?? null)} />
      <Marked text={type.id} marks={choice.marks} />
      <span className="palette-side">{port === null ? type.category : `${type.category} · ${port}`}</span>
    </>
  );
}

function Marked({ text, marks }: { text: string; marks: readonly number[] }) {
  const found = new Set(marks);
  return (
    <span className="palette-name">
      {[...text].map((letter, index) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: letters have no other identity
        found.has(index) ? <mark key={index}>{letter}</mark> : letter,
      )}
    </span>
  );
}

function close(): void {
  useUi.getState().openPalette(null);
  useCanvas.setState({ paletteLinks: false });
}

function choose(choice: Choice, { at, from }: OpenPalette, pointed: boolean): void {
  if (choice.is === "port") {
    if (from === undefined) return;
    const made = from.side === "out" ? link(from.port, choice.port) : link(choice.port, from.port);
    if (made) say(t("canvas.said.linked", { from: portPath(from.port), to: portPath(choice.port) }));
    focusPort(from.port, from.side);
    return;
  }
  const { type, port } = choice.offer;
  const wire = from !== undefined && port !== null ? { from: from.port, side: from.side, port } : undefined;
  const made = addNodeHere(type.id, pointed ? at : null, wire);
  if (made !== null) say(t("canvas.said.addedOne", { node: made }));
}

/** The type and side that a link hangs on; null where the palette was opened without one. */
function originOf({ from }: OpenPalette): Origin | null {
  if (from === undefined) return null;
  const type = kindsNow().type(from.port, from.side);
  return type === null ? null : { type, side: from.side };
}

/** Ports of this graph that a link could go to, the nearest first. */
function fittingPorts(from: NonNullable<OpenPalette["from"]>): { port: Port; label: string }[] {
  const doc = docNow();
  const known = knownNow();
  const kinds = kindsNow();
  const { boxes } = sceneNow();
  const base = from.side === "in" ? setInput(doc, from.port, undefined) : doc;
  const pending = { ...begin(base, from.port, from.side), base: doc };
  const start = boxes.get(from.port.node);
  const here = start === undefined ? { x: 0, y: 0 } : middle(start);
  const other = from.side === "out" ? "in" : "out";
  return [...boxes]
    .map(([id, box]) => ({ id, far: Math.hypot(middle(box).x - here.x, middle(box).y - here.y) }))
    .sort((a, b) => a.far - b.far)
    .flatMap(({ id }) => endsOf(pending, id, known.types[doc.nodes[id]?.type ?? ""]))
    .filter((port) => port.node !== from.port.node && whyNot(pending, known, port) === null)
    .map((port) => ({ port, label: kinds.label(port, other) }));
}

function choicesFor(
  query: string,
  ports: readonly { port: Port; label: string }[],
  offers: readonly Offer[],
): Choice[] {
  const text = (item: { port: Port; label: string }) => [portPath(item.port), item.label];
  return [
    ...search(query, ports, { text }).map(({ item, marks }) => ({
      is: "port" as const,
      ...item,
      marks: marks[0] ?? [],
    })),
    ...findOffers(offers, query).map((found) => ({ is: "type" as const, ...found })),
  ];
}

function keyOf(choice: Choice): string {
  return choice.is === "port" ? `port ${portPath(choice.port)}` : `type ${choice.offer.type.id}`;
}

function summaryOf(choice: Choice | undefined): string {
  if (choice === undefined) return "";
  return choice.is === "port" ? t("canvas.palette.toPort") : choice.offer.type.summary;
}

function placeholderOf({ from }: OpenPalette): string {
  if (from === undefined) return t("canvas.palette.placeholder");
  const label = kindsNow().label(from.port, from.side);
  return t(from.side === "out" ? "canvas.palette.takes" : "canvas.palette.gives", { type: label });
}
