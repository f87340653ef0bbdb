/** Which rows are asked of the hub: more of them on demand, and the filter where not all are here. */

import { computed, effect, signal } from "@preact/signals";
import { sort } from "./board/choices";
import { isNarrowed, viewOf } from "./board/filter";
import { filter } from "./board/layout";
import { loaded, rowCount, totals } from "./live";
import { pins } from "./pins";
import type { ClientFrame, View } from "./protocol";

/** What the tallest screen shows is asked for first, so that it is there at once, and then the usual. */
const LIMITS = [60, 200, 1000, 5000, 20_000];
const TYPING_MS = 250;

const limit = signal(LIMITS[0]!);
const wanted = () => ({ filter: filter.value, sort: sort.value, pins: pins.value, limit: limit.value });
/** What was chosen before is part of the first words already: the first rows are the right ones. */
let view: View = viewOf(wanted(), true);
let heldAll = true;
let timer: ReturnType<typeof setTimeout> | undefined;

/** More rows may exist than the view's limit let through. */
export const more = computed(() => rowCount.value >= limit.value && limit.value < LIMITS.at(-1)!);

/** The hub may grant fewer rows than were asked for, so that its totals have a say too. */
const complete = computed(
  () => rowCount.value < limit.value && rowCount.value >= (totals.value?.sessions ?? 0),
);

export function showMore(): void {
  limit.value = LIMITS.find((each) => each > limit.peek()) ?? limit.peek();
}

function goOnFromFirst(): void {
  if (loaded.value && more.value && limit.peek() === LIMITS[0]) requestAnimationFrame(showMore);
}

export const currentView = (): View => view;

/** Typing must not ask the hub at every key: each view is answered by a snapshot. */
export function followView(send: (frame: ClientFrame) => void): void {
  effect(goOnFromFirst);
  effect(() => {
    // Judged only while no filter narrows the view: a short answer to a filter says nothing of the rest.
    if (!isNarrowed(view)) heldAll = complete.value;
    const next = viewOf(wanted(), heldAll);
    clearTimeout(timer);
    if (JSON.stringify(next) === JSON.stringify(view)) return;
    timer = setTimeout(() => {
      view = next;
      send({ type: "view", ...view });
    }, TYPING_MS);
  });
}
