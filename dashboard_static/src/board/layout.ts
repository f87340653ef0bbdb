/**
 * The list as it stands on the screen, brought up to date by what changed. Rows that changed in
 * nothing that decides their place cost one comparison each. Called by `live.ts` alone.
 */

import { computed, signal } from "@preact/signals";
import { pins } from "../pins";
import type { Sort, Summary } from "../protocol";
import { ORDERS, reorder, sorted } from "../store/order";
import { unreadNow } from "../unread";
import { arrange, emptyLayout, sameLayout, type Layout } from "./arrange";
import { folded, grouping, sort } from "./choices";
import { figuresOf, type Figures } from "./figures";
import { matchedBy, matcher, noFilter, type Filter } from "./filter";

type Rows = Map<string, Summary>;

export const filter = signal<Filter>(noFilter);
export const layout = signal<Layout>(emptyLayout);
export const unreadCount = signal(0);
/** Of each group that has a head. */
export const figures = signal<ReadonlyMap<string, Figures>>(new Map());

/** Of each kind of order, what moves a row in it. Status decides what is unread as well. */
const ALWAYS: (keyof Summary)[] = ["status", "status_since", "attention", "archived"];
const MOVED_BY: Record<Sort, keyof Summary> = {
  default: "started_at",
  started: "started_at",
  updated: "updated_at",
  cost: "cost_usd",
};

const names = computed(() => {
  const more: (keyof Summary)[] = grouping.value === "none" ? [] : [grouping.value];
  return [...new Set([...ALWAYS, MOVED_BY[sort.value], ...more, ...matchedBy(filter.value)])];
});

let order: string[] = [];
/** The rows as they were when they were put in their places. */
let placed: Rows = new Map();
const moved = new Set<string>();
let anew = true;
let groups: Layout["groups"] = emptyLayout.groups;

export const isStirred = (): boolean => anew || moved.size > 0;

/** Notes which of these rows may stand elsewhere now. */
export function stir(ids: Iterable<string>, rows: Rows): void {
  const told = names.peek();
  for (const id of ids) {
    const before = placed.get(id);
    const after = rows.get(id);
    if (!before || !after || told.some((name) => before[name] !== after[name])) moved.add(id);
  }
}

/** All rows, or what is wanted of them, changed. */
export function stirAll(): void {
  anew = true;
}

/** Everything that a person can choose: whoever reads it hears of the choice. */
export function choices() {
  return {
    sort: sort.value,
    grouping: grouping.value,
    pins: new Set(pins.value),
    folded: new Set(folded.value),
    filter: filter.value,
    isUnread: unreadNow(),
  };
}

/** Puts every row in its place. To be called when all changes of the rows were noted. */
export function settle(rows: Rows): void {
  const wanted = choices();
  put(rows, wanted.sort);
  let unread = 0;
  for (const row of rows.values()) if (wanted.isUnread(row) && !row.archived) unread++;
  unreadCount.value = unread;
  const next = arrange(order, rows, { ...wanted, matches: matcher(wanted.filter, wanted.isUnread) });
  if (!sameLayout(layout.peek(), next)) layout.value = next;
  groups = next.groups;
}

function put(rows: Rows, by: Sort): void {
  if (anew) {
    order = sorted(rows, ORDERS[by]);
    placed = new Map(rows);
  } else {
    order = reorder(order, rows, moved, ORDERS[by]);
    for (const id of moved) {
      const row = rows.get(id);
      if (row) placed.set(id, row);
      else placed.delete(id);
    }
  }
  moved.clear();
  anew = false;
}

/** Groups say what they come to as of the last time this was called. */
export function sumUp(rows: Rows): void {
  if (groups.size === 0 && figures.peek().size === 0) return;
  figures.value = new Map([...groups].map(([key, { ids }]) => [key, figuresOf(ids, rows)]));
}
