/**
 * The board's order. It is the hub's own default, so that rows stand where its view put them: whoever
 * waits for a person first, however many items are open.
 */

import type { Status, Summary } from "../protocol";

const RANK: Record<Status, number> = { waiting: 0, failed: 1, running: 2, stale: 3, idle: 4, ended: 5 };

export function compare(a: Summary, b: Summary): number {
  return (
    Number(b.attention > 0) - Number(a.attention > 0) ||
    rank(a.status) - rank(b.status) ||
    (b.started_at ?? 0) - (a.started_at ?? 0) ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}

function rank(status: Status): number {
  return RANK[status] ?? 6;
}

/** True where a change can move a row. Activity alone must not. */
export function moves(before: Summary, after: Summary): boolean {
  return (
    before.attention > 0 !== after.attention > 0 ||
    before.status !== after.status ||
    before.started_at !== after.started_at
  );
}

/** Puts `moved` in their new places without sorting the thousands of rows that stayed. */
export function reorder(order: string[], rows: Map<string, Summary>, moved: Set<string>): string[] {
  const stayed = order.filter((id) => !moved.has(id) && rows.has(id));
  const news = [...moved].filter((id) => rows.has(id)).sort((a, b) => compare(rows.get(a)!, rows.get(b)!));
  if (news.length === 0) return stayed;
  const merged: string[] = [];
  let next = 0;
  for (const id of stayed) {
    const row = rows.get(id)!;
    while (next < news.length && compare(rows.get(news[next]!)!, row) < 0) merged.push(news[next++]!);
    merged.push(id);
  }
  while (next < news.length) merged.push(news[next++]!);
  return merged;
}

export function sorted(rows: Map<string, Summary>): string[] {
  return [...rows.values()].sort(compare).map((row) => row.id);
}
