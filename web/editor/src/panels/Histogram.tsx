import { t } from "../text/text";
import { formatNumber } from "../widgets/numbers";

interface HistogramProps {
  low: number;
  high: number;
  counts: readonly number[];
}

const WIDTH = 288;
const HEIGHT = 72;

/** How often which numbers occur. */
export function Histogram({ low, high, counts }: HistogramProps) {
  const most = Math.max(1, ...counts);
  const step = WIDTH / Math.max(1, counts.length);
  const bars = counts.map((count, index) => {
    const tall = (count / most) * HEIGHT;
    return `M${(index * step).toFixed(2)} ${HEIGHT}v${(-tall).toFixed(2)}h${Math.max(step - 0.5, 0.5).toFixed(2)}v${tall.toFixed(2)}z`;
  });
  const zero = low < 0 && high > 0 ? (-low / (high - low)) * WIDTH : null;
  return (
    <figure className="histogram">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={t("inspect.histogram", { low: short(low), high: short(high) })}
      >
        <path d={bars.join("")} />
        {zero !== null && <line x1={zero} x2={zero} y1="0" y2={HEIGHT} />}
      </svg>
      <figcaption>
        <span>{short(low)}</span>
        <span>{short(high)}</span>
      </figcaption>
    </figure>
  );
}

function short(value: number): string {
  return formatNumber(Number(value.toPrecision(3)));
}
