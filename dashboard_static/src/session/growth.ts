/**
 * How much figures grew in the last minute, from what this page itself has seen. What it has not
 * seen it does not count: after a gap it begins anew. Pure; called by the metric cards.
 */

export type Figures = Readonly<Record<string, number | null>>;

export interface Sample {
  at: number;
  figures: Figures;
}

export const MINUTE_MS = 60_000;
/** Patches come up to sixty times a second; nobody sees the difference within one. */
const APART_MS = 1000;

/** The samples of the last minute and the one before them, from which it is counted. */
export function sampled(samples: readonly Sample[], figures: Figures, at: number): readonly Sample[] {
  const last = samples.at(-1);
  if (last && same(last.figures, figures)) return samples;
  // The first is what all is counted from, so it is never replaced.
  const isSoon = samples.length > 1 && last !== undefined && at - last.at < APART_MS;
  const kept = isSoon ? samples.slice(0, -1) : samples;
  const sample = { at: isSoon ? last.at : at, figures };
  return [...kept.slice(baseOf(kept, at)), sample];
}

/** 0 where nothing changed and where either value is not known. */
export function growth(samples: readonly Sample[], name: string, at: number): number {
  const before = samples[baseOf(samples, at)]?.figures[name];
  const present = samples.at(-1)?.figures[name];
  return before == null || present == null ? 0 : present - before;
}

/** The latest sample that is a minute old, else the first. */
function baseOf(samples: readonly Sample[], at: number): number {
  return Math.max(0, samples.findLastIndex((sample) => sample.at <= at - MINUTE_MS));
}

function same(one: Figures, other: Figures): boolean {
  return Object.keys(other).every((name) => one[name] === other[name]);
}
