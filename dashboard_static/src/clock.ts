/** The hub's present time, ticking once a second: ages must not depend on this machine's clock. */

import { signal } from "@preact/signals";

let skew = 0;

export const now = signal(Date.now());

/** The present moment, also where no clock ticks because nobody looks. */
export const hubNow = (): number => byHub(Date.now());

/** A moment of this machine by the hub's clock. */
export const byHub = (at: number): number => at + skew;

export function heardTime(hub: number): void {
  skew = hub - Date.now();
}

/** Longer than a busy page misses its second: the machine slept, and timers with it. */
const SLEPT_MS = 5000;

/** A lid that closes over a visible tab raises no event: only the clock tells of it. */
export function startClock(woken: () => void): void {
  let last = Date.now();
  setInterval(() => {
    const at = Date.now();
    const slept = at - last > SLEPT_MS;
    last = at;
    if (document.hidden) return;
    now.value = at + skew;
    if (slept) woken();
  }, 1000);
  document.addEventListener("visibilitychange", () => {
    now.value = hubNow();
  });
}
