/** Sessions that a person keeps on top. Kept by the browser, and told to the hub as part of the view. */

import { preference } from "./preferences";

/** The hub takes no more. */
export const PINS_MAX = 32;

export const pins = preference<readonly string[]>("pins", [], (told) =>
  Array.isArray(told) && told.every((each) => typeof each === "string") ? told.slice(-PINS_MAX) : undefined,
);

/** One more than there is room for takes the place of the first. */
export function togglePin(id: string): void {
  const before = pins.peek();
  pins.value = before.includes(id)
    ? before.filter((each) => each !== id)
    : [...before, id].slice(-PINS_MAX);
}
