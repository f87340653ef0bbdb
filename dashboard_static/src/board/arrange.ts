/** Where every row stands: pinned ones on top, the others in their groups. Pure; called by `layout.ts`. */

import type { Status, Summary } from "../protocol";
import { rank } from "../store/order";
import type { Grouping } from "./choices";

export interface Group {
  /** `others` are those beside the pinned ones where nothing is grouped. */
  kind: "pinned" | "others" | Exclude<Grouping, "none">;
  value: string | null;
  ids: string[];
}

export interface Layout {
  /** Session ids, and where a head stands the key of its group. */
  entries: string[];
  /** Places of the heads in `entries`, ascending. */
  heads: number[];
  groups: ReadonlyMap<string, Group>;
  /** Sessions, those of folded groups too. */
  count: number;
}

export const emptyLayout: Layout = { entries: [], heads: [], groups: new Map(), count: 0 };

export interface Arrangement {
  grouping: Grouping;
  pins: ReadonlySet<string>;
  folded: ReadonlySet<string>;
  matches: (row: Summary) => boolean;
}

/** Pinned rows stay whatever is looked for: that is what a pin is for. */
export function arrange(
  order: readonly string[],
  rows: ReadonlyMap<string, Summary>,
  { grouping, pins, folded, matches }: Arrangement,
): Layout {
  const pinned: string[] = [];
  const others: string[] = [];
  for (const id of order) {
    if (pins.has(id)) pinned.push(id);
    else if (matches(rows.get(id)!)) others.push(id);
  }
  const count = pinned.length + others.length;
  const groups = new Map<string, Group>();
  if (pinned.length > 0) groups.set("pinned", { kind: "pinned", value: null, ids: pinned });
  if (grouping !== "none") grouped(others, rows, grouping).forEach((each) => groups.set(keyOf(each), each));
  else if (pinned.length === 0) return { entries: others, heads: [], groups, count };
  else if (others.length > 0) groups.set("others", { kind: "others", value: null, ids: others });
  const entries: string[] = [];
  const heads: number[] = [];
  for (const [key, { ids }] of groups) {
    heads.push(entries.length);
    entries.push(key);
    if (!folded.has(key)) for (const id of ids) entries.push(id);
  }
  return { entries, heads, groups, count };
}

const keyOf = ({ kind, value }: Group): string => `${kind}:${value ?? ""}`;

/** Groups stand as their first rows do; those of a status always in the same order. */
function grouped(
  ids: readonly string[],
  rows: ReadonlyMap<string, Summary>,
  kind: Exclude<Grouping, "none">,
): Group[] {
  const groups = new Map<string | null, Group>();
  for (const id of ids) {
    const value = rows.get(id)![kind] || null;
    const group = groups.get(value);
    if (group) group.ids.push(id);
    else groups.set(value, { kind, value, ids: [id] });
  }
  const all = [...groups.values()];
  return kind === "status" ? all.sort((a, b) => rank(a.value as Status) - rank(b.value as Status)) : all;
}

export const sameLayout = (a: Layout, b: Layout): boolean =>
  a.count === b.count && same(a.entries, b.entries) && same(a.heads, b.heads);

function same<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((each, at) => each === b[at]);
}
