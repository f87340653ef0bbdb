/** How a person wants the list of sessions: kept by the browser. */

import { oneOf, preference, texts, toggled } from "../preferences";
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
export const folded = preference<readonly string[]>("folded", [], texts(FOLDED_MAX));

export function toggleFolded(key: string): void {
  folded.value = toggled(folded.peek(), key, FOLDED_MAX);
}

export function toggleDensity(): void {
  density.value = density.peek() === "compact" ? "comfortable" : "compact";
}

export function nextGrouping(): void {
  grouping.value = GROUPINGS[(GROUPINGS.indexOf(grouping.peek()) + 1) % GROUPINGS.length]!;
}
