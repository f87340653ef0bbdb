/** One session.patch applied to a session's detail. Gives new objects only for what changed. */

import type { Detail, FrameOf } from "../protocol";

interface Series {
  key: "seq" | "at";
  max: number;
}

/** token_series has no cut: the hub merges old minutes and then sends the series whole. */
const SERIES: Record<string, Series> = {
  timeline: { key: "seq", max: 500 },
  errors_list: { key: "seq", max: 50 },
  token_series: { key: "at", max: Infinity },
};

export function applyPatch(detail: Detail, frame: FrameOf<"session.patch">): Detail {
  const next: Record<string, unknown> = { ...detail, ...frame.set };
  for (const [name, changes] of Object.entries(frame.maps ?? {})) {
    next[name] = patchMap(next[name] as Record<string, unknown> | undefined, changes);
  }
  for (const [name, items] of Object.entries(frame.append ?? {})) {
    const series = SERIES[name];
    if (series) next[name] = extend((next[name] as Keyed[] | undefined) ?? [], items as Keyed[], series);
  }
  return next as unknown as Detail;
}

export function patchMap(
  held: Record<string, unknown> | undefined,
  changes: Record<string, unknown>,
): Record<string, unknown> {
  // A key may be any word of an agent, such as `__proto__`, which no assignment could keep.
  const next = new Map(Object.entries(held ?? {}));
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) next.delete(key);
    else next.set(key, value);
  }
  return Object.fromEntries(next);
}

type Keyed = { seq?: number; at?: number | null };

export function extend<T extends Keyed>(held: T[], items: T[], { key, max }: Series): T[] {
  const next = held.slice();
  for (const item of items) insert(next, item, key);
  return next.length > max ? next.slice(next.length - max) : next;
}

/** Nearly every item belongs at the end, so the search runs from there. */
function insert<T extends Keyed>(items: T[], item: T, key: "seq" | "at"): void {
  const value = item[key] ?? 0;
  let at = items.length;
  while (at > 0 && (items[at - 1]![key] ?? 0) > value) at--;
  if (at > 0 && items[at - 1]![key] === value) items[at - 1] = item;
  else items.splice(at, 0, item);
}
