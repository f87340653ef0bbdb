/** Sessions that a person keeps on top. Kept by the browser, and told to the hub as part of the view. */

import { preference, texts, toggled } from "./preferences";

/** The hub takes no more. */
export const PINS_MAX = 32;

export const pins = preference<readonly string[]>("pins", [], texts(PINS_MAX));

export function togglePin(id: string): void {
  pins.value = toggled(pins.peek(), id, PINS_MAX);
}
