/** Which rows are asked of the hub: more of them on demand, and the filter where not all are here. */

import { computed, effect, signal } from "@preact/signals";
import { viewOf } from "./board/filter";
import { filter, rowCount, totals } from "./live";
import type { ClientFrame, View } from "./protocol";

const LIMITS = [200, 1000, 5000, 20_000];
const TYPING_MS = 250;

const limit = signal(LIMITS[0]!);
let view: View = { limit: limit.peek() };
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

export const currentView = (): View => view;

/** Typing must not ask the hub at every key: each view is answered by a snapshot. */
export function followView(send: (frame: ClientFrame) => void): void {
  effect(() => {
    // Judged only while no filter narrows the view: a short answer to a filter says nothing of the rest.
    if (!view.q && !view.status) heldAll = complete.value;
    const wanted = viewOf(filter.value, limit.value, heldAll);
    clearTimeout(timer);
    if (JSON.stringify(wanted) === JSON.stringify(view)) return;
    timer = setTimeout(() => {
      view = wanted;
      send({ type: "view", ...view });
    }, TYPING_MS);
  });
}
