/** The spans of days that are offered. Days are of UTC, by which the API counts. */

import { DAY, isoDay } from "../format";
import { later } from "../messages";
import type { Asked } from "./asked";

export const SPANS = [
  { words: later("Today"), days: 1 },
  { words: later("7 days"), days: 7 },
  { words: later("30 days"), days: 30 },
  { words: later("All"), days: 0 },
] as const;

/** Today is one of the days. */
export function span(days: number, now: number): Pick<Asked, "since" | "until"> {
  return { since: days ? isoDay(now - (days - 1) * DAY) : undefined, until: undefined };
}

export function isSpan(days: number, { since, until }: Asked, now: number): boolean {
  return since === span(days, now).since && until === undefined;
}
