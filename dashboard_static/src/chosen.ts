/** The sessions that a person has picked out to be compared, in the order of the picking. */

import { signal } from "@preact/signals";

export const CHOSEN_MAX = 4;

export const chosen = signal<readonly string[]>([]);

/** One more than there is room for takes the place of the first. */
export function toggleChosen(id: string): void {
  const before = chosen.peek();
  chosen.value = before.includes(id)
    ? before.filter((each) => each !== id)
    : [...before, id].slice(-CHOSEN_MAX);
}
