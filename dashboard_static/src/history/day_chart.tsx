import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import uPlot from "uplot";
import { compact, cost, DAY, exact, sum, usd, utcDay } from "../format";
import { t } from "../messages";
import { axesOf, barsOf, coloursOf, hovers, short, upTo, usePlot } from "../plot";
import type { Spent, Usage } from "./answers";
import { daysRange, withQuiet } from "./day_data";

type Day = Usage<Spent>["rows"][number];

const STEPS_DAYS = [1, 2, 7, 14, 28, 91, 182, 364, 1820];
const NONE = { input: 0, output: 0, cache_read: 0, cache_write: 0, calls: 0, unpriced_calls: 0, sessions: 0 };
const quiet = (key: string): Day => ({ ...NONE, key, cost_usd: 0, cost_state: "priced" });

/** Tokens as bars, what they cost as a line on an axis of its own. */
export function DayChart({ rows }: { rows: Day[] }) {
  const days = withQuiet(rows, quiet);
  const hovered = useSignal<number | null>(null);
  const { place, plot } = usePlot((element) => options(element, hovered), columns(days));
  useEffect(() => plot.current?.setData(columns(days)), [rows]);
  return (
    <figure class="chart">
      <div ref={place} class="chart-canvas" role="img" aria-label={describe(days)} />
      <Legend days={days} hovered={hovered} />
    </figure>
  );
}

const columns = (days: Day[]): uPlot.AlignedData => [
  days.map((day) => Date.parse(day.key!)),
  days.map((day) => sum(day) ?? 0),
  days.map((day) => day.cost_usd),
];

function describe(days: Day[]): string {
  const active = days.filter((day) => day.calls > 0);
  const most = active.reduce((a, b) => ((b.cost_usd ?? 0) > (a?.cost_usd ?? 0) ? b : a), active[0]);
  const count = exact(active.length);
  if (!most) return t("Tokens and cost by day; {count} days with calls.", { count });
  return t("Tokens and cost by day; {count} days with calls. The costliest was {day}: {cost}.", {
    count,
    day: most.key!,
    cost: cost(most.cost_usd, most.cost_state),
  });
}

/** What the pointer is on, else the last day. */
function Legend({ days, hovered }: { days: Day[]; hovered: Signal<number | null> }) {
  const day = days[hovered.value ?? days.length - 1] ?? days.at(-1);
  return (
    <figcaption class="legend">
      <span class="legend-time">{utcDay(day && Date.parse(day.key!))}</span>
      <span class="legend-item" data-series="tokens">
        <span class="legend-mark" aria-hidden="true" />
        {t("Tokens")}
        <span class="legend-value">{compact(day && sum(day))}</span>
      </span>
      <span class="legend-item" data-series="cost">
        <span class="legend-mark" aria-hidden="true" />
        {t("Cost")}
        <span class="legend-value">{day && cost(day.cost_usd, day.cost_state)}</span>
      </span>
    </figcaption>
  );
}

function options(element: HTMLElement, hovered: Signal<number | null>): Partial<uPlot.Options> {
  const colour = coloursOf(element);
  const axis = axesOf(element, colour);
  const line = () => colour("series-cost");
  return {
    tzDate: (at) => uPlot.tzDate(new Date(at), "Etc/UTC"),
    scales: {
      x: { time: true, range: (chart) => daysRange(chart.data[0]) },
      y: { range: upTo(10) },
      cost: { range: upTo(0.05) },
    },
    axes: [
      axis({
        size: 26,
        space: 56,
        incrs: STEPS_DAYS.map((days) => days * DAY),
        grid: { show: false },
        values: (_, days) => days.map((at) => utcDay(at)),
      }),
      axis({ size: 46, space: 36, values: short }),
      axis({
        side: 1,
        scale: "cost",
        size: 56,
        space: 36,
        grid: { show: false },
        values: (_, values) => values.map((value) => usd(value)),
      }),
    ],
    series: [
      {},
      barsOf(colour, 28)("series-output"),
      { scale: "cost", stroke: line, width: 1.5, points: { size: 5, fill: line } },
    ],
    hooks: hovers(hovered),
  };
}
