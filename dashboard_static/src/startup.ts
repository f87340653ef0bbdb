/**
 * How far the page has come. Two cores are few for a browser that begins: what nobody sees yet, or
 * what can be asked a moment later, waits until the first rows are on the screen.
 */

import { effect, signal } from "@preact/signals";
import { loaded } from "./live";

/** A frame with the first rows was drawn. Never while the tab is hidden. */
export const isDrawn = signal(false);
/** The rows did not come soon: the page is shown without them. */
export const isLate = signal(false);

const SOON_MS = 300;

export function startUp(): void {
  setTimeout(() => (isLate.value = true), SOON_MS);
  effect(() => {
    // The second frame begins when the first one is done.
    if (loaded.value) requestAnimationFrame(() => requestAnimationFrame(() => (isDrawn.value = true)));
  });
}
