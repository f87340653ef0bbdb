/** The answers of one worker in the last minute. Pure. */

import type { About } from "./answers";

export const WINDOW_MS = 60_000;
const GONE_MS = 10_000;

/**
 * With another answer. Behind one address there may be several workers: one is looked at until it
 * is not heard any more, for figures of two of them have nothing to do with each other.
 */
export function kept(held: readonly About[], next: About): readonly About[] {
  const last = held.at(-1);
  if (!last) return [next];
  if (last.worker !== next.worker) return next.now - last.now > GONE_MS ? [next] : held;
  if (last.started_at !== next.started_at) return [next];
  return [...held.filter(({ now }) => next.now - now <= WINDOW_MS), next];
}

/** Since when there has been something to read at every look, or null. */
export function behindSince(held: readonly About[]): number | null {
  const read = held.findLastIndex(({ bus }) => bus.lag_entries === 0);
  return held[read + 1]?.now ?? null;
}
