import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { clockMinute, exact } from "../format";
import { t } from "../messages";
import { axesOf, barsOf, coloursOf, hovers, short, upTo, usePlot } from "../plot";
import type { Bucket } from "../protocol";
import { ALL, columns, markedSpan, stepped, timeRange, type Span } from "./chart_data";
import { Legend, minuteWords } from "./chart_legend";
import { Minutes } from "./minutes";

/** A minute is a minute: redrawing a canvas at every patch would be most of the page's work. */
const REDRAW_MS = 250;

interface Props {
  series: Bucket[];
  span: Signal<Span>;
}

export function TokenChart({ series, span }: Props) {
  const hovered = useSignal<number | null>(null);
  const { place, plot } = usePlot((element) => options(element, hovered, span), columns(series));
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
  // The range is asked for anew with the data.
  useEffect(() => plot.current?.setData(columns(latest.current)), [span.value]);
  const at = hovered.value ?? series.length - 1;
  return (
    <figure class="chart" aria-label={describe(series)}>
      <div
        ref={place}
        class="chart-canvas"
        tabIndex={0}
        role="slider"
        aria-label={t("Minute of the chart")}
        aria-valuemin={0}
        aria-valuemax={series.length - 1}
        aria-valuenow={at}
        aria-valuetext={minuteWords(series[at])}
        onKeyDown={(event) => {
          if (plot.current && move(plot.current, latest.current, event.key)) event.preventDefault();
        }}
        onBlur={() => plot.current?.setCursor(NOWHERE)}
      />
      <Legend bucket={series[at] ?? series.at(-1)} />
      <Minutes series={series} />
    </figure>
  );
}

function describe(series: Bucket[]): string {
  const total = series.reduce((sum, bucket) => sum + (bucket.output ?? 0), 0);
  return t("Tokens per minute over {minutes} minutes with activity; {total} output tokens in all.", {
    minutes: series.length,
    total: exact(total),
  });
}

const NOWHERE = { left: -10, top: -10 };
const STEPS: Record<string, number> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  PageUp: -10,
  PageDown: 10,
  Home: -Infinity,
  End: Infinity,
};

/** Moves the hovered minute as a pointer would; whether the key was one of those that do. */
function move(plot: uPlot, series: readonly Bucket[], key: string): boolean {
  const step = STEPS[key];
  if (step === undefined) return false;
  const { min, max } = plot.scales.x!;
  const at = stepped(series, [min ?? 0, max ?? Infinity], plot.cursor.idx ?? null, step);
  if (at !== null) plot.setCursor({ left: plot.valToPos(series[at]!.at, "x"), top: 1 });
  return true;
}

/** What is dragged over comes into view, and stays there whatever is added. */
function zooms(span: Signal<Span>): Pick<uPlot.Options, "cursor" | "hooks"> {
  return {
    cursor: {
      drag: { x: true, y: false, setScale: false, dist: 4 },
      bind: { dblclick: () => () => ((span.value = ALL), null) },
    },
    hooks: {
      setSelect: [
        (chart) => {
          const { left, width } = chart.select;
          if (width === 0) return;
          span.value = markedSpan(chart.posToVal(left, "x"), chart.posToVal(left + width, "x"));
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

function options(element: HTMLElement, hovered: Signal<number | null>, span: Signal<Span>): Partial<uPlot.Options> {
  const colour = coloursOf(element);
  const axis = axesOf(element, colour);
  const bar = barsOf(colour, 14);
  const { cursor, hooks } = zooms(span);
  return {
    cursor: { points: { show: false }, y: false, ...cursor },
    scales: {
      // Of the values alone: the range that was drawn before has its margins already.
      x: { time: true, range: ({ data: [at] }) => timeRange(span.peek(), at[0] ?? null, at.at(-1) ?? null) },
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
    hooks: { ...hovers(hovered), ...hooks },
  };
}
