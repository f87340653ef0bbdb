/** One line of tokens for each session that is compared, on one axis. */

import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import uPlot from "uplot";
import { clockMinute, compact, DAY, dayMinute, duration, exact, nameOf, unknown } from "../format";
import { t } from "../messages";
import { axesOf, coloursOf, hovers, short, upTo, usePlot } from "../plot";
import { LETTERS, type Compared } from "./answer";
import { columns, lastOf, valueAt, type Axis, type Columns, type Measure } from "./curves";

interface Props {
  sessions: readonly Compared[];
  ids: readonly string[];
  axis: Axis;
  measure: Measure;
}

/** A letter at the end of each line, and dashes of its own: nobody has to tell colours apart. */
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3]];
const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080, 43_200].map(
  (each) => each * 60_000,
);

export function CurveChart({ sessions, ids, axis, measure }: Props) {
  const hovered = useSignal<number | null>(null);
  const data = columns(sessions, axis, measure);
  const places = sessions.map(({ id }) => ids.indexOf(id));
  const { place, plot } = usePlot((element) => options(element, axis, places, hovered), data);
  useEffect(() => plot.current?.setData(data), [sessions]);
  return (
    <figure class="chart">
      <div ref={place} class="chart-canvas" role="img" aria-label={describe(sessions, measure, data)} />
      <Legend
        sessions={sessions}
        places={places}
        axis={axis}
        measure={measure}
        data={data}
        hovered={hovered}
      />
    </figure>
  );
}

function describe(sessions: readonly Compared[], measure: Measure, [, ...curves]: Columns): string {
  const name = measure === "cumulative" ? t("Tokens over time, added up.") : t("Tokens per minute.");
  const ends = curves.map((curve, at) =>
    t("{name}: {count} at the most.", {
      name: nameOf(sessions[at]!),
      count: lastOf(curve) < 0 ? unknown() : exact(Math.max(...curve.map((each) => each ?? 0))),
    }),
  );
  return [name, ...ends].join(" ");
}

interface LegendProps {
  sessions: readonly Compared[];
  places: number[];
  axis: Axis;
  measure: Measure;
  data: Columns;
  hovered: Signal<number | null>;
}

/** Always there and always as high: what the pointer is on, else the end. */
function Legend({ sessions, places, axis, measure, data: [times, ...curves], hovered }: LegendProps) {
  const at = Math.min(hovered.value ?? Infinity, times.length - 1);
  const time = times[at] ?? 0;
  return (
    <figcaption class="legend compare-legend" data-testid="legend">
      <span class="legend-time">{axis === "elapsed" ? afterWords(time) : dayMinute(time)}</span>
      {sessions.map((session, place) => (
        <span
          key={session.id}
          class="legend-item"
          data-curve={LETTERS[places[place]!]}
          data-testid="legend-item"
        >
          <svg class="curve-mark" viewBox="0 0 30 4" aria-hidden="true">
            <path d="M0 2h30" stroke-dasharray={DASHES[places[place]!]!.join(" ")} />
          </svg>
          {LETTERS[places[place]!]}
          <span class="clip compare-legend-name">{nameOf(session)}</span>
          <span class="legend-value">{valueWords(valueAt(curves[place]!, at, measure))}</span>
        </span>
      ))}
    </figcaption>
  );
}

const afterWords = (ms: number): string =>
  ms ? t("after {time}", { time: duration(ms) }) : t("at the start");
const valueWords = (value: number | null): string => (value === null ? "–" : compact(value));

function options(
  element: HTMLElement,
  axis: Axis,
  places: number[],
  hovered: Signal<number | null>,
): Partial<uPlot.Options> {
  const colour = coloursOf(element);
  const drawn = axesOf(element, colour);
  const elapsed = axis === "elapsed";
  const strokes = places.map((place) => () => colour(`curve-${LETTERS[place]!.toLowerCase()}`));
  return {
    padding: [10, 18, 0, 0],
    scales: { x: { time: !elapsed }, y: { range: upTo(10) } },
    axes: [
      drawn({
        size: 26,
        space: 90,
        grid: { show: false },
        ...(elapsed ? { incrs: STEPS_MS } : {}),
        values: (_, times) => times.map((at) => (elapsed ? shortTime(at) : clockWords(times, at))),
      }),
      drawn({ size: 46, space: 36, values: short }),
    ],
    series: [
      {},
      ...places.map((place, at) => ({
        stroke: strokes[at]!,
        width: 1.75,
        dash: DASHES[place],
        spanGaps: true,
        points: { show: false },
      })),
    ],
    hooks: { ...hovers(hovered), draw: [(chart) => letters(chart, places, strokes)] },
  };
}

const shortTime = (ms: number): string => (ms < 3_600_000 ? t("{n}m", { n: ms / 60_000 }) : duration(ms));

function clockWords(times: number[], at: number): string {
  return times.at(-1)! - times[0]! < DAY ? clockMinute(at) : dayMinute(at);
}

function letters(chart: uPlot, places: number[], strokes: (() => string)[]): void {
  const { ctx, data } = chart;
  ctx.save();
  ctx.font = `600 ${11 * uPlot.pxRatio}px sans-serif`;
  ctx.textBaseline = "middle";
  places.forEach((place, at) => {
    const column = data[at + 1]!;
    const last = lastOf(column as (number | null)[]);
    if (last < 0) return;
    ctx.fillStyle = strokes[at]!();
    const x = chart.valToPos(data[0][last]!, "x", true);
    ctx.fillText(LETTERS[place]!, x + 4 * uPlot.pxRatio, chart.valToPos(column[last]!, "y", true));
  });
  ctx.restore();
}
