/** The inbox by keyboard. The focus itself moves: whoever hears the page hears the item. */

import { signal } from "@preact/signals";

/** The inbox takes the focus as soon as it is on screen. */
export const inboxWanted = signal(false);

export function focusFirst(inbox: HTMLElement): void {
  (linksOf(inbox)[0] ?? inbox).focus();
}

const linksOf = (inbox: Element): HTMLElement[] => [...inbox.querySelectorAll<HTMLElement>(".inbox-link")];

/** True if it was a key for the inbox. Enter is the link's own. */
export function inboxKey(key: string, target: HTMLElement): boolean {
  const inbox = target.closest(".inbox");
  if (!inbox) return false;
  const item = target.closest(".inbox-item");
  const stop = item?.querySelector<HTMLElement>(".inbox-link");
  if (key === "Escape") {
    // Out of what is read to its item, and from there to the sessions.
    if (stop && target !== stop && target.closest(".asked")) stop.focus();
    else document.querySelector<HTMLElement>(".grid")?.focus();
    return true;
  }
  // What is read scrolls by the arrows, and a button has a space of its own.
  if (target.closest(".asked")) return false;
  const toggle = item?.querySelector<HTMLElement>(".inbox-toggle");
  const isOpen = toggle?.getAttribute("aria-expanded") === "true";
  if (key === " " ? target === stop : key === (isOpen ? "ArrowLeft" : "ArrowRight")) {
    toggle?.click();
    return toggle !== undefined;
  }
  const links = linksOf(inbox);
  const at = stop ? links.indexOf(stop) : -1;
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[key];
  if (to === undefined) return false;
  links[Math.min(Math.max(to, 0), links.length - 1)]?.focus();
  return true;
}
