/** The hub's present time, ticking once a second: ages must not depend on this machine's clock. */

import { signal } from "@preact/signals";

let skew = 0;

export const now = signal(Date.now());

export function heardTime(hub: number): void {
  skew = hub - Date.now();
}

export function startClock(): void {
  setInterval(() => {
    if (!document.hidden) now.value = Date.now() + skew;
  }, 1000);
  document.addEventListener("visibilitychange", () => {
    now.value = Date.now() + skew;
  });
}
