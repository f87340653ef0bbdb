/** Tokens over time of several sessions as the columns of one chart. Pure. */

import { sum } from "../format";
import type { Bucket } from "../protocol";

export type Axis = "elapsed" | "clock";
export type Measure = "cumulative" | "minute";

interface Timed {
  started_at: number | null;
  token_series: readonly Bucket[];
}

const MINUTE = 60_000;

/** The minute in which a session began: a bucket is a whole minute, and none comes before it. */
function beginning({ started_at, token_series: [first] }: Timed): number {
  const at = Math.min(started_at ?? Infinity, first?.at ?? Infinity);
  return Math.floor(at / MINUTE) * MINUTE;
}

/** A minute's tokens are there at its end; minutes without any are told by a zero on each side. */
export function points(session: Timed, axis: Axis, measure: Measure): [at: number, tokens: number][] {
  const { token_series } = session;
  if (token_series.length === 0) return [];
  const begin = beginning(session);
  const from = axis === "elapsed" ? begin : 0;
  const told: [number, number][] = [[begin - from, 0]];
  let all = 0;
  let end = begin;
  for (const bucket of token_series) {
    const tokens = sum(bucket) ?? 0;
    if (measure === "cumulative") told.push([bucket.at + MINUTE - from, (all += tokens)]);
    else {
      if (bucket.at > end) told.push([end + MINUTE - from, 0]);
      if (bucket.at > end + MINUTE) told.push([bucket.at - from, 0]);
      told.push([bucket.at + MINUTE - from, tokens]);
      end = bucket.at + MINUTE;
    }
  }
  return told;
}

export type Columns = [at: number[], ...tokens: (number | null)[][]];

/** One column of times for all; where a session says nothing at a time, there is null. */
export function columns(sessions: readonly Timed[], axis: Axis, measure: Measure): Columns {
  const curves = sessions.map((session) => new Map(points(session, axis, measure)));
  const times = [...new Set(curves.flatMap((curve) => [...curve.keys()]))].sort((a, b) => a - b);
  return [times, ...curves.map((curve) => times.map((at) => curve.get(at) ?? null))];
}

/** What a curve says at a place between two of its points: what it said last. A sum stays for ever. */
export function valueAt(column: readonly (number | null)[], at: number, measure: Measure): number | null {
  if (measure === "minute" && at > lastOf(column)) return null;
  for (let place = at; place >= 0; place--) if (column[place] != null) return column[place]!;
  return null;
}

export const lastOf = (column: readonly (number | null)[]): number =>
  column.findLastIndex((each) => each !== null);
