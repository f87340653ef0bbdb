/** The rows of usage by day as a chart needs them. */

import { DAY, isoDay } from "../format";

/** Days on which nothing was done stand between the others: a chart that left them out would lie. */
export function withQuiet<Day extends { key: string | null }>(
  rows: readonly Day[],
  quiet: (key: string) => Day,
): Day[] {
  const days = new Map(rows.flatMap((row) => (row.key ? [[row.key, row]] : [])));
  const told = [...days.keys()].map(Date.parse);
  const filled: Day[] = [];
  for (let at = told[0]!; at <= told.at(-1)!; at += DAY) {
    filled.push(days.get(isoDay(at)) ?? quiet(isoDay(at)));
  }
  return filled;
}

const FEWEST_DAYS = 7;

/** Half a day on each side, for bars are wide; a single day is not stretched over the whole width. */
export function daysRange(days: ArrayLike<number>): [number, number] {
  const end = days[days.length - 1] ?? 0;
  return [Math.min(days[0] ?? 0, end - (FEWEST_DAYS - 1) * DAY) - DAY / 2, end + DAY / 2];
}
