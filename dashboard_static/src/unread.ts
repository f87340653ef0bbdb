/**
 * Which sessions came to rest since this person last looked at them. Kept by the browser; what rested
 * before it first saw the board is no news.
 */

import { computed, effect, untracked } from "@preact/signals";
import { hubNow } from "./clock";
import { preference } from "./preferences";
import type { Status, Summary } from "./protocol";
import { route } from "./router";

type SeenAt = readonly [id: string, at: number];

export interface Seen {
  /** All that rested before is read. */
  readonly since: number;
  readonly sessions: readonly SeenAt[];
}

export const SEEN_MAX = 500;
const AT_REST: ReadonlySet<Status> = new Set<Status>(["waiting", "idle", "failed", "ended"]);

export const seen = preference<Seen>("seen", { since: 0, sessions: [] }, accepted);
const seenAt = computed(() => new Map(seen.value.sessions));

/** For whoever asks of many rows: reads the signals once. */
export function unreadNow(): (row: Summary) => boolean {
  const { since } = seen.value;
  const times = seenAt.value;
  return ({ id, status, status_since }) =>
    AT_REST.has(status) && (status_since ?? 0) > Math.max(since, times.get(id) ?? 0);
}

/** What is forgotten stays read: all that rested before it was looked at counts as read from then on. */
export function withSeen({ since, sessions }: Seen, id: string, at: number): Seen {
  const all: SeenAt[] = [...sessions.filter(([each]) => each !== id), [id, at]];
  const forgotten = all.slice(0, Math.max(0, all.length - SEEN_MAX));
  return {
    since: Math.max(since, ...forgotten.map(([, at]) => at)),
    sessions: all.slice(forgotten.length),
  };
}

/** `rested` is since when it rests: this machine's idea of the hub's clock may lie a little before it. */
export function markSeen(id: string, rested: number | null | undefined): void {
  seen.value = withSeen(seen.peek(), id, Math.max(hubNow(), rested ?? 0));
}

export function markAllSeen(): void {
  seen.value = { since: hubNow(), sessions: [] };
}

/** Whoever opens a session's page has seen it, and all that it did until they left. */
export function startUnread(restedSince: (id: string) => number | null | undefined): void {
  if (seen.peek().since === 0) seen.value = { ...seen.peek(), since: hubNow() };
  effect(() => {
    const at = route.value;
    if (at.screen !== "session") return;
    const look = () => untracked(() => markSeen(at.id, restedSince(at.id)));
    look();
    return look;
  });
}

function accepted(told: unknown): Seen | undefined {
  const { since, sessions } = (told ?? {}) as Partial<Seen>;
  if (typeof since !== "number" || !Array.isArray(sessions)) return undefined;
  const good = sessions.filter((each) => typeof each?.[0] === "string" && typeof each[1] === "number");
  return { since, sessions: good.slice(-SEEN_MAX) };
}
