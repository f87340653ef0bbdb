import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { clockMinute, compact, exact } from "../format";
import { axesOf, barsOf, coloursOf, hovers, short, upTo, usePlot } from "../plot";
import type { Bucket } from "../protocol";
import { columns, timeRange } from "./chart_data";

/** A minute is a minute: redrawing a canvas at every patch would be most of the page's work. */
const REDRAW_MS = 250;
const NAMES = [
  ["output", "Output"],
  ["input", "Input"],
  ["cache_write", "Cache write"],
  ["cache_read", "Cache read"],
] as const;

export function TokenChart({ series }: { series: Bucket[] }) {
  const hovered = useSignal<number | null>(null);
  const { place, plot } = usePlot((element) => options(element, hovered), columns(series));
  const latest = useRef(series);
  latest.current = series;
  const drawing = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => {
    drawing.current ??= setTimeout(() => {
      drawing.current = null;
      plot.current?.setData(columns(latest.current));
    }, REDRAW_MS);
  }, [series]);
  useEffect(() => () => clearTimeout(drawing.current ?? undefined), []);
  return (
    <figure class="chart">
      <div ref={place} class="chart-canvas" role="img" aria-label={describe(series)} />
      <Legend series={series} hovered={hovered} />
    </figure>
  );
}

function describe(series: Bucket[]): string {
  const total = series.reduce((sum, bucket) => sum + (bucket.output ?? 0), 0);
  return `Tokens per minute over ${series.length} minutes with activity; ${exact(total)} output tokens in all.`;
}

/** Always there and always as high: what the pointer is on, else the latest minute. */
function Legend({ series, hovered }: { series: Bucket[]; hovered: Signal<number | null> }) {
  const bucket = series[hovered.value ?? series.length - 1] ?? series.at(-1);
  return (
    <figcaption class="legend">
      <span class="legend-time">{clockMinute(bucket?.at)}</span>
      {NAMES.map(([name, words]) => (
        <span key={name} class="legend-item" data-series={name}>
          <span class="legend-mark" aria-hidden="true" />
          {words}
          <span class="legend-value">{compact(bucket?.[name])}</span>
        </span>
      ))}
    </figcaption>
  );
}

function options(element: HTMLElement, hovered: Signal<number | null>): Partial<uPlot.Options> {
  const colour = coloursOf(element);
  const axis = axesOf(element, colour);
  const bar = barsOf(colour, 14);
  return {
    scales: {
      // Of the values alone: the range that was drawn before has its margins already.
      x: { time: true, range: ({ data: [at] }) => timeRange(at[0] ?? null, at.at(-1) ?? null) },
      y: { range: upTo(10) },
      cache: { range: upTo(10) },
    },
    axes: [
      axis({
        size: 26,
        space: 70,
        grid: { show: false },
        values: (_, times) => times.map((at) => clockMinute(at)),
      }),
      axis({ size: 46, space: 36, values: short }),
      axis({ side: 1, scale: "cache", size: 50, space: 36, grid: { show: false }, values: short }),
    ],
    series: [
      {},
      bar("series-cache-write"),
      bar("series-input"),
      bar("series-output"),
      { scale: "cache", stroke: () => colour("series-cache-read"), width: 1.5, points: { show: false } },
    ],
    hooks: hovers(hovered),
  };
}
