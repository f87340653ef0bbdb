/**
 * A list that draws only what is in view. All rows have one height and all heads another, both known
 * beforehand, so that nothing is measured.
 */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { isDrawn } from "./startup";

export interface Places {
  count: number;
  rowHeight: number;
  headHeight: number;
  /** Where a head stands in a row's place, ascending. */
  heads: readonly number[];
}

export interface Range {
  first: number;
  last: number;
}

/** How many heads stand before a place. */
function headsBefore(heads: readonly number[], at: number): number {
  let low = 0;
  let high = heads.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (heads[middle]! < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function topOf({ heads, headHeight, rowHeight }: Places, at: number): number {
  return at * rowHeight + headsBefore(heads, at) * (headHeight - rowHeight);
}

export const isHead = ({ heads }: Places, at: number): boolean => heads[headsBefore(heads, at)] === at;

/** The last place that begins at or above a height. */
function placeAt(places: Places, y: number): number {
  let low = 0;
  let high = places.count;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (middle < places.count && topOf(places, middle) <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}

const SPARE = 6;

/** What lies between two heights, a few more on each side, so that a fast scroll shows no gap. */
export function rangeInView(places: Places, top: number, height: number, spare = SPARE): Range {
  const last = Math.min(places.count, placeAt(places, top + height) + 1 + spare);
  return { first: Math.min(last, Math.max(0, placeAt(places, top) - spare)), last };
}

interface Props {
  scroller: { current: HTMLDivElement | null };
  places: Places;
  row: (at: number, top: number) => ComponentChildren;
}

/** Goes inside the scrolling element, whose ref it is given. */
export function VirtualRows({ scroller, places, row }: Props) {
  const step = Math.min(places.rowHeight, places.headHeight);
  const top = useSignal(0);
  const height = useSignal(800);
  useLayoutEffect(() => {
    const element = scroller.current!;
    // A step at a time: scrolling inside one row changes nothing that is drawn.
    const scrolled = () => {
      top.value = Math.floor(element.scrollTop / step) * step;
    };
    const resized = new ResizeObserver(() => {
      height.value = element.clientHeight + step;
    });
    element.addEventListener("scroll", scrolled, { passive: true });
    resized.observe(element);
    height.value = element.clientHeight + step;
    scrolled();
    return () => {
      element.removeEventListener("scroll", scrolled);
      resized.disconnect();
    };
  }, [step]);
  const { first, last } = rangeInView(places, top.value, height.value, isDrawn.value ? SPARE : 0);
  const rows: ComponentChildren[] = [];
  for (let at = first; at < last; at++) rows.push(row(at, topOf(places, at)));
  return (
    <div class="sizer" role="presentation" style={{ height: `${topOf(places, places.count)}px` }}>
      {rows}
    </div>
  );
}

/** Brings a place into view with the least movement. */
export function reveal(element: HTMLElement, places: Places, at: number): void {
  const top = topOf(places, at);
  const bottom = topOf(places, at + 1);
  if (top < element.scrollTop) element.scrollTop = top;
  else if (bottom > element.scrollTop + element.clientHeight)
    element.scrollTop = bottom - element.clientHeight;
}
