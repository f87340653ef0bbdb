/**
 * One tab of a browser alerts: the one that was used last, for it may sound. Where the browser has
 * no locks (a page that is not secure) every tab does, and what was told keeps them apart.
 */

import { signal } from "@preact/signals";

const LOCK = "tower.alerts";

export const leads = signal(false);
let queued: AbortController | null = null;
/** Which of this page's requests holds the lock; its own later one may have taken it over. */
let holder: symbol | null = null;

export function lead(steal: boolean): void {
  if (leads.peek() || (queued && !steal)) return;
  if (!navigator.locks) {
    leads.value = true;
    return;
  }
  queued?.abort();
  queued = steal ? null : new AbortController();
  const mine = Symbol();
  const held = (): Promise<never> => {
    holder = mine;
    queued = null;
    leads.value = true;
    // For as long as the page lives.
    return new Promise(() => {});
  };
  navigator.locks.request(LOCK, steal ? { steal } : { signal: queued!.signal }, held).catch(() => {
    // Taken over by a tab that was used later; that one's own queueing ended is no matter.
    if (holder !== mine) return;
    holder = null;
    leads.value = false;
    lead(false);
  });
}
