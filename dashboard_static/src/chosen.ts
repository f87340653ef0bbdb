/** The sessions that a person has picked out to be compared, in the order of the picking. */

import { signal } from "@preact/signals";

export const CHOSEN_MAX = 4;

export const chosen = signal<readonly string[]>([]);
/** Of those that the board has no row of: where one was picked, it had a name. */
export const names = new Map<string, string>();

/** One more than there is room for takes the place of the first. */
export function toggleChosen(id: string, name?: string): void {
  const before = chosen.peek();
  if (name) names.set(id, name);
  chosen.value = before.includes(id)
    ? before.filter((each) => each !== id)
    : [...before, id].slice(-CHOSEN_MAX);
}
