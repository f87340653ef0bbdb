/** Buckets as columns. Bars are stacked here, because the chart itself draws only lines from zero. */

import type { Bucket } from "../protocol";

/** From the bottom of a bar to its top. Cache reads are ten to a hundred times the rest: their own axis. */
export const STACK = ["output", "input", "cache_write"] as const;

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

/** A session of two minutes is not stretched over the whole width. */
export function timeRange(min: number | null, max: number | null): [number, number] {
  const end = (max ?? Date.now()) + 60_000;
  return [Math.min((min ?? end) - 60_000, end - SHORTEST_MS), end];
}
