/** Which alerts a person wants. What gives them is loaded only where one is wanted. */

import { computed, effect } from "@preact/signals";
import { preference, yesOrNo } from "../preferences";

export const desktop = preference("alert.desktop", false, yesOrNo);
export const sound = preference("alert.sound", false, yesOrNo);
/** Also when a pinned session has finished; by whichever of the two above is on. */
export const finished = preference("alert.finished", false, yesOrNo);

export const wanted = computed(() => desktop.value || sound.value);

export function startAlertsIfWanted(): void {
  effect(() => {
    if (wanted.value) void import("./alerts").then(({ startAlerts }) => startAlerts());
  });
}
