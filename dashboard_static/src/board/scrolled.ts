/** Whether a person scrolls the list: under the wheel rows stay where they are, for a while. */

const PAUSE_MS = 150;
/** Whoever scrolls on and on sees new sessions all the same. */
const HELD_MAX_MS = 2000;

let began = -Infinity;
let last = -Infinity;

export function noteScroll(now: number): void {
  if (now - last >= PAUSE_MS) began = now;
  last = now;
}

/** When rows may move again; at once where nobody scrolls, or has for long. */
export const heldUntil = (): number => Math.min(last + PAUSE_MS, began + HELD_MAX_MS);

/** Rows have just moved: they may be held as long again. */
export function noteMoved(now: number): void {
  began = Math.max(began, now);
}
