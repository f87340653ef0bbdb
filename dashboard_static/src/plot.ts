/** What all charts have in common: their place, their colours and their axes. */

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { compact } from "./format";
import { dark } from "./theme";

const HEIGHT = 180;

/** A chart that is as wide as its place, and drawn anew where the colour scheme changes. */
export function usePlot(options: (element: HTMLElement) => Partial<uPlot.Options>, data: uPlot.AlignedData) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  useLayoutEffect(() => {
    const element = place.current!;
    const size = () => ({ width: element.clientWidth, height: HEIGHT });
    const chart = new uPlot({ ...COMMON, ...size(), ...options(element) } as uPlot.Options, data, element);
    plot.current = chart;
    const resized = new ResizeObserver(() => chart.setSize(size()));
    resized.observe(element);
    return () => {
      resized.disconnect();
      chart.destroy();
    };
  }, []);
  const scheme = dark.value;
  useEffect(() => {
    plot.current?.redraw();
    // Paper is white: there a canvas that was drawn for the dark is turned about.
    place.current!.dataset.dark = String(scheme);
  }, [scheme]);
  return { place, plot };
}

const COMMON: Partial<uPlot.Options> = {
  ms: 1,
  legend: { show: false },
  padding: [10, 0, 0, 0],
  cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
};

/** The canvas knows no custom properties: a probe element resolves them, for the present scheme. */
export function coloursOf(element: HTMLElement): (name: string) => string {
  const probe = element.appendChild(document.createElement("i"));
  return (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
}

type Colour = ReturnType<typeof coloursOf>;

export function axesOf(element: HTMLElement, colour: Colour): (change: uPlot.Axis) => uPlot.Axis {
  const font = `11px ${getComputedStyle(element).fontFamily}`;
  return (change) => ({
    font,
    stroke: () => colour("muted"),
    grid: { stroke: () => colour("line"), width: 1 },
    ticks: { show: false },
    ...change,
  });
}

export function barsOf(colour: Colour, widest: number): (name: string) => uPlot.Series {
  const paths = uPlot.paths.bars!({ size: [0.7, widest, 2], gap: 1 });
  return (name) => ({
    paths,
    points: { show: false },
    stroke: () => colour(name),
    fill: () => colour(name),
    width: 0,
  });
}

export function hovers(told: { value: number | null }): uPlot.Hooks.Arrays {
  return { setCursor: [(chart) => void (told.value = chart.cursor.idx ?? null)] };
}

/** From zero, with a little room above; `least` keeps a quiet chart quiet. */
export const upTo = (least: number): uPlot.Range.Function => (_, _min, max) => [0, Math.max(least, max * 1.08)];

export const short = (_: uPlot, values: number[]): string[] =>
  values.map((value) => compact(value).replace(/\.0+(?=\D)/, ""));
