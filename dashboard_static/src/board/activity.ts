/** Keeps the activity of the rows on the board up to date, and asks the hub what was before. */

import { computed, effect, signal } from "@preact/signals";
import { Activity, minuteOf, type ActivityAnswer } from "../activity";
import { get } from "../api";
import { now } from "../clock";
import type { Tokens } from "../protocol";

const held = new Activity();
const answered = signal(0);

/** Changes once a minute: a reason to draw what has moved on by one. */
export const minute = computed(() => minuteOf(now.value));

/** Called for each change of a row, so that it has to cost next to nothing. */
export const noteTokens = (id: string, tokens: Tokens | null): void => held.note(id, tokens, minute.peek());
export const forgetTokens = (id: string): void => held.forget(id);
export const keepTokens = (rows: ReadonlyMap<string, unknown>): void => held.keep(rows);

/** To be read while drawing; null where nothing was done or nothing is known. */
export function activityOf(id: string): number[] | null {
  answered.value;
  return held.known ? held.of(id, minute.value) : null;
}

/** A hub that is not ready yet, or has no time, is asked again. */
const AGAIN_MS = 10_000;

/** Asks anew whenever the hub is heard again: nobody else knows what was done meanwhile. */
export function followActivity(isHeard: () => boolean): void {
  const heard = computed(isHeard);
  const ask = async () => {
    const { body } = await get<ActivityAnswer>("api/activity");
    if (body) {
      held.seed(body);
      requestAnimationFrame(() => answered.value++);
    } else if (heard.peek()) setTimeout(ask, AGAIN_MS);
  };
  effect(() => held.letGo(minute.value));
  effect(() => {
    if (heard.value) void ask();
    else held.interrupted();
  });
}
