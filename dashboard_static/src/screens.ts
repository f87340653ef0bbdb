/** The screens beside the board, each a piece of script of its own. */

import { door } from "./door";

export const SessionScreen = door(async () => (await import("./session/page")).SessionPage);
export const HistoryScreen = door(async () => (await import("./history/screen")).HistoryScreen);
export const CompareScreen = door(async () => (await import("./compare/screen")).CompareScreen);
export const AboutScreen = door(async () => (await import("./about/screen")).AboutScreen);

/** A click on a session should find its page here; it is fetched once the board has come to rest. */
export function fetchAhead(): void {
  const idle = window.requestIdleCallback ?? ((then: () => void) => setTimeout(then, 1000));
  idle(() => SessionScreen.fetch());
}
