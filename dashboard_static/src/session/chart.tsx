import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { clockMinute, compact, exact } from "../format";
import { dark } from "../media";
import type { Bucket } from "../protocol";
import { columns, timeRange } from "./chart_data";

const HEIGHT = 180;
/** A minute is a minute: redrawing a canvas at every patch would be most of the page's work. */
const REDRAW_MS = 250;
const NAMES = [
  ["output", "Output"],
  ["input", "Input"],
  ["cache_write", "Cache write"],
  ["cache_read", "Cache read"],
] as const;

export function TokenChart({ series }: { series: Bucket[] }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const hovered = useSignal<number | null>(null);
  useLayoutEffect(() => {
    const element = place.current!;
    const chart = new uPlot(options(element, hovered), columns(series), element);
    plot.current = chart;
    const resized = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      chart.destroy();
    };
  }, []);
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
  const scheme = dark.value;
  useEffect(() => plot.current?.redraw(), [scheme]);
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

/** The canvas knows no custom properties: a probe element resolves them, for the present scheme. */
function colours(element: HTMLElement): (name: string) => string {
  const probe = element.appendChild(document.createElement("i"));
  return (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
}

function options(element: HTMLElement, hovered: Signal<number | null>): uPlot.Options {
  const colour = colours(element);
  const font = `11px ${getComputedStyle(element).fontFamily}`;
  const bars = uPlot.paths.bars!({ size: [0.7, 14, 2], gap: 1 });
  const bar = (name: string): uPlot.Series => ({
    paths: bars,
    points: { show: false },
    stroke: () => colour(name),
    fill: () => colour(name),
    width: 0,
  });
  const axis = (change: uPlot.Axis): uPlot.Axis => ({
    font,
    stroke: () => colour("muted"),
    grid: { stroke: () => colour("line"), width: 1 },
    ticks: { show: false },
    ...change,
  });
  const short = (_: uPlot, values: number[]) =>
    values.map((value) => compact(value).replace(/\.0+(?=\D)/, ""));
  return {
    width: element.clientWidth,
    height: HEIGHT,
    ms: 1,
    legend: { show: false },
    padding: [10, 0, 0, 0],
    cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
    scales: {
      x: { time: true, range: (_, min, max) => timeRange(min, max) },
      y: { range: (_, _min, max) => [0, Math.max(10, max * 1.08)] },
      cache: { range: (_, _min, max) => [0, Math.max(10, max * 1.08)] },
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
    hooks: {
      setCursor: [
        (chart) => {
          hovered.value = chart.cursor.idx ?? null;
        },
      ],
    },
  };
}
