/**
 * Tokens by minute of the last half hour, by session. The hub tells them once; from then on they are
 * kept up by what the rows' own counts grow. Cache reads are no work and are left out.
 */

import type { Tokens } from "./protocol";

export const MINUTES = 30;
const MINUTE_MS = 60_000;

export interface ActivityAnswer {
  /** The end of the last minute. */
  until: number;
  minutes: number;
  /** Oldest first; sessions that did nothing are absent. */
  sessions: Record<string, number[]>;
}

/** A ring: the count of minute `m` is at `m % MINUTES`, up to the minute that was noted last. */
interface Ring {
  minute: number;
  counts: Float64Array;
}

export const minuteOf = (at: number): number => Math.floor(at / MINUTE_MS);

export class Activity {
  private readonly rings = new Map<string, Ring>();
  private readonly before = new Map<string, Tokens>();
  /** False until the hub has told what was before: until then nothing is known. */
  known = false;

  seed({ until, sessions }: ActivityAnswer): void {
    this.rings.clear();
    const minute = minuteOf(until - 1);
    for (const [id, counts] of Object.entries(sessions)) {
      const ring = this.ring(id, minute);
      counts.slice(-MINUTES).forEach((count, at, all) => {
        ring.counts[(minute - all.length + 1 + at) % MINUTES] = count;
      });
    }
    this.known = true;
  }

  /** What was missed meanwhile belongs to no minute. */
  interrupted(): void {
    this.before.clear();
  }

  note(id: string, tokens: Tokens | null, minute: number): void {
    const before = this.before.get(id);
    if (before === tokens) return;
    if (tokens === null) return void this.before.delete(id);
    this.before.set(id, tokens);
    const more = before ? spent(tokens) - spent(before) : 0;
    if (more <= 0) return;
    const ring = this.ring(id, minute);
    const minutes = Math.min(minute - ring.minute, MINUTES);
    for (let each = 0; each < minutes; each++) ring.counts[(minute - each) % MINUTES] = 0;
    ring.minute = Math.max(minute, ring.minute);
    ring.counts[ring.minute % MINUTES]! += more;
  }

  /** A row that is not here any more may come back: what it did meanwhile belongs to no minute. */
  forget(id: string): void {
    this.before.delete(id);
  }

  /** Forgets all but these. */
  keep(rows: ReadonlyMap<string, unknown>): void {
    for (const id of this.before.keys()) if (!rows.has(id)) this.forget(id);
  }

  /** What is too long ago to be shown. */
  letGo(minute: number): void {
    for (const [id, ring] of this.rings) if (minute - ring.minute >= MINUTES) this.rings.delete(id);
  }

  /** Oldest first, the given minute last; null where nothing was done. */
  of(id: string, minute: number): number[] | null {
    const ring = this.rings.get(id);
    if (!ring || minute - ring.minute >= MINUTES) return null;
    return Array.from({ length: MINUTES }, (_, at) => {
      const each = minute - MINUTES + 1 + at;
      return each > ring.minute || each <= ring.minute - MINUTES ? 0 : ring.counts[each % MINUTES]!;
    });
  }

  private ring(id: string, minute: number): Ring {
    let ring = this.rings.get(id);
    if (!ring) this.rings.set(id, (ring = { minute, counts: new Float64Array(MINUTES) }));
    return ring;
  }
}

function spent({ input, output, cache_write }: Tokens): number {
  return (input ?? 0) + (output ?? 0) + (cache_write ?? 0);
}

/** One bar for each minute, 2 wide, as the path of a line; the least is one high. */
export function bars(counts: readonly number[], height: number, least: number): string {
  const most = Math.max(least, ...counts);
  return counts
    .map((count, at) =>
      count > 0 ? `M${at * 2 + 1} ${height}v-${Math.max(1, Math.round((count / most) * height))}` : "",
    )
    .join("");
}
