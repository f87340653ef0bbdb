/**
 * The inbox as it is shown: an item that closes under somebody's hand stays, dimmed, until the hand
 * is gone, so that no click meets another item than the one that was aimed at. Pure.
 */

import type { Item } from "../protocol";

export interface Shown {
  item: Item;
  /** Undefined while it is open; null where it is not known how it ended. */
  outcome?: string | null;
}

export function linger(
  before: readonly Shown[],
  open: readonly Item[],
  held: boolean,
  outcomes: ReadonlyMap<string, string>,
): Shown[] {
  const now: Shown[] = open.map((item) => ({ item }));
  if (!held) return now;
  const ids = new Set(open.map(({ id }) => id));
  const gone = before
    .filter(({ item }) => !ids.has(item.id))
    .map(({ item, outcome }) => ({ item, outcome: outcome ?? outcomes.get(item.id) ?? null }));
  return [...now, ...gone].sort((a, b) => a.item.opened_at - b.item.opened_at || (a.item.id < b.item.id ? -1 : 1));
}
