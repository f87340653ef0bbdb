/** The sessions that a person has picked out to be compared, in the order of the picking. */

import { signal } from "@preact/signals";
import { toggled } from "./preferences";

export const CHOSEN_MAX = 4;

export const chosen = signal<readonly string[]>([]);
/** Of those that the board has no row of: where one was picked, it had a name. */
export const names = new Map<string, string>();

export function toggleChosen(id: string, name?: string): void {
  if (name) names.set(id, name);
  chosen.value = toggled(chosen.peek(), id, CHOSEN_MAX);
}
