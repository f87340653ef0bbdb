/** Quantiles and sums out of counters that only grow: what two answers differ by. Pure. */

import type { Counts, Distribution } from "./answers";

/**
 * How long the quickest part `q` took at most, in seconds: null where nothing happened, Infinity
 * beyond the last bucket. Inside a bucket they are taken to lie evenly.
 */
export function quantile(before: Distribution | null, after: Distribution, q: number): number | null {
  const count = after.count - (before?.count ?? 0);
  if (count <= 0) return null;
  const wanted = q * count;
  let [from, below] = [0, 0];
  for (const [at, [seconds, all]] of after.buckets.entries()) {
    const here = all - (before?.buckets[at]?.[1] ?? 0);
    if (here >= wanted && here > below) return from + ((seconds - from) * (wanted - below)) / (here - below);
    [from, below] = [seconds, here];
  }
  return Infinity;
}

export const total = (counts: Counts): number => Object.values(counts).reduce((a, b) => a + b, 0);
