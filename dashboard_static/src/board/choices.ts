/** How a person wants the list of sessions: kept by the browser. */

import { oneOf, preference } from "../preferences";
import type { Sort } from "../protocol";

export type Density = "comfortable" | "compact";
export type Grouping = "none" | "project" | "status" | "host";

export const SORTS: readonly Sort[] = ["default", "updated", "started", "cost"];
export const GROUPINGS: readonly Grouping[] = ["none", "project", "status", "host"];
const FOLDED_MAX = 100;

export const density = preference<Density>("density", "comfortable", oneOf("comfortable", "compact"));
export const grouping = preference<Grouping>("grouping", "none", oneOf(...GROUPINGS));
export const sort = preference<Sort>("sort", "default", oneOf(...SORTS));
/** Keys of groups that show their head alone. */
export const folded = preference<readonly string[]>("folded", [], (told) =>
  Array.isArray(told) && told.every((each) => typeof each === "string") ? told.slice(-FOLDED_MAX) : undefined,
);

export function toggleFolded(key: string): void {
  const before = folded.peek();
  folded.value = before.includes(key)
    ? before.filter((each) => each !== key)
    : [...before, key].slice(-FOLDED_MAX);
}

export function toggleDensity(): void {
  density.value = density.peek() === "compact" ? "comfortable" : "compact";
}

export function nextGrouping(): void {
  grouping.value = GROUPINGS[(GROUPINGS.indexOf(grouping.peek()) + 1) % GROUPINGS.length]!;
}
