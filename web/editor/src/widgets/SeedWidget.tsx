import { t } from "../text/text";
import type { FieldProps, SeedMode, SeedState } from "./field";
import { Icon, type IconName } from "./Icon";
import { IconButton } from "./IconButton";
import { NumberWidget } from "./NumberWidget";
import type { NumberShape } from "./numbers";

const MODES = ["fixed", "random", "increment"] as const;
type Mode = (typeof MODES)[number];
const ICONS: Record<Mode, IconName> = { fixed: "pin", random: "dice", increment: "ladder" };

/** Large enough never to meet twice, short enough to be read out; every JSON reader keeps it exactly. */
const SEEDS = 2 ** 32;

/** A seed drawn in the browser. */
export function newSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? Math.floor(Math.random() * SEEDS);
}

/**
 * A seed: its value, and how the server draws the next one. The value shown is the one that ran; where a run drew another
 * than the one shown, it is offered to be taken back.
 */
export function SeedWidget(props: FieldProps & { spec: NumberShape }) {
  const { look, seed, name, change, value } = props;
  if (seed === undefined) return <NumberWidget {...props} />;
  const mode = modeOf(seed.mode);
  return (
    <div className={`seed seed-${look}`}>
      <NumberWidget {...props} />
      <div className="seed-tools">
        {look === "row" ? (
          <NextMode name={name} mode={mode} seed={seed} />
        ) : (
          <Modes name={name} mode={mode} seed={seed} />
        )}
        {mode === "fixed" ? (
          <IconButton icon="dice" label={t("widget.newSeed")} onClick={() => change(newSeed())} small />
        ) : (
          <IconButton icon="pin" label={t("widget.pinSeed")} onClick={() => seed.setMode(null)} small />
        )}
      </div>
      {seed.last !== null && seed.last !== value && (
        <LastUsed look={look} last={seed.last} take={() => takeBack(seed, change)} />
      )}
    </div>
  );
}

function LastUsed({ look, last, take }: { look: "row" | "block"; last: number; take: () => void }) {
  const label = t("widget.takeLastSeed", { seed: last });
  if (look === "row") return <IconButton icon="reset" label={label} onClick={take} small />;
  return (
    <p className="seed-last">
      {t("widget.lastSeed")} <code>{last}</code>
      <IconButton icon="pin" label={label} onClick={take} small />
    </p>
  );
}

function takeBack(seed: SeedState, change: FieldProps["change"]): void {
  if (seed.last === null) return;
  change(seed.last);
  if (seed.mode !== null) seed.setMode(null);
}

interface ModeProps {
  name: string;
  mode: Mode;
  seed: SeedState;
}

function NextMode({ name, mode, seed }: ModeProps) {
  const next = MODES[(MODES.indexOf(mode) + 1) % MODES.length] ?? "fixed";
  return (
    <IconButton
      icon={ICONS[mode]}
      label={t("widget.seedModeIs", { name, mode: t(`widget.seed.${mode}`), next: t(`widget.seed.${next}`) })}
      pressed={mode !== "fixed"}
      onClick={() => seed.setMode(storedMode(next))}
      small
    />
  );
}

function Modes({ name, mode, seed }: ModeProps) {
  return (
    <fieldset className="segments">
      <legend className="visually-hidden">{t("widget.seedMode", { name })}</legend>
      {MODES.map((item) => (
        <button
          key={item}
          type="button"
          className="segment"
          aria-pressed={item === mode}
          onClick={() => seed.setMode(storedMode(item))}
          title={t(`widget.seedHelp.${item}`)}
        >
          <Icon name={ICONS[item]} size={14} />
          {t(`widget.seed.${item}`)}
        </button>
      ))}
    </fieldset>
  );
}

function modeOf(mode: SeedMode): Mode {
  return mode ?? "fixed";
}

function storedMode(mode: Mode): SeedMode {
  return mode === "fixed" ? null : mode;
}
