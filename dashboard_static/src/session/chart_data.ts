/** Buckets as columns. Bars are stacked here, because the chart itself draws only lines from zero. */

import type { Bucket } from "../protocol";

/** Of a bar its top, its middle and its base. Cache reads are ten to a hundred times the rest: their own axis. */
export type Columns = [at: number[], whole: number[], middle: number[], base: number[], cache_read: number[]];

export function columns(series: readonly Bucket[]): Columns {
  const data: Columns = [[], [], [], [], []];
  for (const bucket of series) {
    const base = bucket.output ?? 0;
    const middle = base + (bucket.input ?? 0);
    data[0].push(bucket.at);
    data[1].push(middle + (bucket.cache_write ?? 0));
    data[2].push(middle);
    data[3].push(base);
    data[4].push(bucket.cache_read ?? 0);
  }
  return data;
}

const SHORTEST_MS = 20 * 60_000;
const MARGIN_MS = 60_000;

/** What is in view: all, the latest so many, or what a person has marked, which then stands still. */
export type Span = { kind: "all" } | { kind: "latest"; ms: number } | { kind: "marked"; from: number; to: number };

export const ALL: Span = { kind: "all" };

/** A session of two minutes is not stretched over the whole width. */
export function timeRange(span: Span, first: number | null, last: number | null): [number, number] {
  if (span.kind === "marked") return [span.from, span.to];
  const end = (last ?? Date.now()) + MARGIN_MS;
  if (span.kind === "latest") return [end - span.ms - MARGIN_MS, end];
  return [Math.min((first ?? end) - MARGIN_MS, end - SHORTEST_MS), end];
}

/** Narrower than a few bars there is nothing to be seen. */
const NARROWEST_MS = 3 * 60_000;

export function markedSpan(from: number, to: number): Span {
  const missing = Math.max(0, NARROWEST_MS - (to - from)) / 2;
  return { kind: "marked", from: from - missing, to: to + missing };
}

/** The minute that a step by keyboard leads to, within what is in view. */
export function stepped(
  series: readonly Bucket[],
  [from, to]: readonly [number, number],
  present: number | null,
  step: number,
): number | null {
  const first = series.findIndex(({ at }) => at >= from);
  const last = series.findLastIndex(({ at }) => at <= to);
  if (first < 0 || last < first) return null;
  const at = present === null ? (step > 0 ? first : last) : present + step;
  return Math.min(last, Math.max(first, at));
}
