/** The keys of the list: moving through rows and heads, and what can be done to the selected one. */

import { toggleChosen } from "../chosen";
import { togglePin } from "../pins";
import { go, sessionHref } from "../router";
import { isHead, reveal, type Places } from "../virtual";
import { folded, nextGrouping, toggleDensity, toggleFolded } from "./choices";
import { toggleUnread } from "./filter_choices";
import { layout } from "./layout";
import { selected } from "./selected";

const ANYWHERE: Record<string, () => void> = { g: nextGrouping, d: toggleDensity, u: toggleUnread };
const ON_SESSION: Record<string, (id: string) => void> = {
  Enter: (id) => go(sessionHref(id)),
  p: togglePin,
  x: toggleChosen,
};

/** Whether the key was one of the list's. */
export function pressed(key: string, scroller: HTMLElement, placesNow: () => Places): boolean {
  const { entries } = layout.peek();
  const places = placesNow();
  const at = selected.peek() === null ? -1 : entries.indexOf(selected.peek()!);
  if (key in ANYWHERE) {
    ANYWHERE[key]!();
    return true;
  }
  if (at >= 0 && isHead(places, at)) {
    if (onHead(key, entries[at]!)) return true;
  } else if (key in ON_SESSION) {
    if (at >= 0) ON_SESSION[key]!(entries[at]!);
    return at >= 0;
  }
  const to = placeAfter(key, at, scroller.clientHeight, places);
  if (to === undefined || entries.length === 0) return false;
  const index = Math.min(Math.max(to, 0), entries.length - 1);
  selected.value = entries[index]!;
  reveal(scroller, places, index);
  return true;
}

function onHead(key: string, group: string): boolean {
  const isFolded = folded.peek().includes(group);
  const turns = key === "Enter" || (key === "ArrowLeft" && !isFolded) || (key === "ArrowRight" && isFolded);
  if (turns) toggleFolded(group);
  return turns;
}

function placeAfter(key: string, at: number, height: number, { count, heads, rowHeight }: Places) {
  const page = Math.max(1, Math.floor(height / rowHeight) - 1);
  const steps: Record<string, number> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    PageDown: at + page,
    PageUp: at - page,
    Home: 0,
    // From the filter one wants the first session, not the name of its group.
    First: heads[0] === 0 ? 1 : 0,
    End: count - 1,
  };
  return steps[key];
}
