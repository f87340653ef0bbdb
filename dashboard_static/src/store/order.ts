/**
 * The board's orders. They are the hub's own, so that rows stand where its view put them. By default
 * whoever waits for a person comes first, however many items are open, and activity moves nothing.
 */

import type { Sort, Status, Summary } from "../protocol";

type Compare = (a: Summary, b: Summary) => number;

export const STATUSES: readonly Status[] = ["waiting", "failed", "running", "stale", "idle", "ended"];
const RANK = new Map(STATUSES.map((status, rank) => [status, rank]));

export const rank = (status: Status): number => RANK.get(status) ?? STATUSES.length;

const byId: Compare = (a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/** The most, or the latest, first; what is not known is last, and ties are broken by id. */
const falling =
  (name: "started_at" | "updated_at" | "cost_usd"): Compare =>
  (a, b) =>
    (b[name] ?? 0) - (a[name] ?? 0) || byId(a, b);

const newest = falling("started_at");

export const ORDERS: Record<Sort, Compare> = {
  default: (a, b) =>
    Number(b.attention > 0) - Number(a.attention > 0) || rank(a.status) - rank(b.status) || newest(a, b),
  updated: falling("updated_at"),
  cost: falling("cost_usd"),
  started: newest,
};

/** Puts `moved` in their new places without sorting the thousands of rows that stayed. */
export function reorder(
  order: string[],
  rows: Map<string, Summary>,
  moved: Set<string>,
  compare: Compare = ORDERS.default,
): string[] {
  const stayed = order.filter((id) => !moved.has(id) && rows.has(id));
  const news = [...moved].filter((id) => rows.has(id)).sort((a, b) => compare(rows.get(a)!, rows.get(b)!));
  if (news.length === 0) return stayed;
  const merged: string[] = [];
  let next = 0;
  for (const id of stayed) {
    if (next === news.length) {
      merged.push(id);
      continue;
    }
    const row = rows.get(id)!;
    while (next < news.length && compare(rows.get(news[next]!)!, row) < 0) merged.push(news[next++]!);
    merged.push(id);
  }
  while (next < news.length) merged.push(news[next++]!);
  return merged;
}

export function sorted(rows: Map<string, Summary>, compare: Compare = ORDERS.default): string[] {
  return [...rows.values()].sort(compare).map((row) => row.id);
}
