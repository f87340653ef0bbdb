/** The hub's notices, as lines for people: one of each code. Some go by themselves, some are ended. */

import { signal } from "@preact/signals";
import { later } from "./messages";

export interface Notice {
  code: string;
  level: string;
  message: string;
}

export const INFO_MS = 8000;
const NOTICES_MAX = 4;

/** The good news that ends a bad one. */
const ENDS: Record<string, string> = { log_back: "log_away" };

/** A hub speaks English. Its own sentences stand here so that a catalogue has words for them. */
export const SPOKEN = [
  later("The log lost entries: the board is read anew."),
  later("Live updates pause: the log is away."),
  later("Live updates go on."),
  later("Too many messages; slow down."),
];

export const notices = signal<Notice[]>([]);

export function notify(notice: Notice): void {
  const others = notices.peek().filter(({ code }) => code !== notice.code && code !== ENDS[notice.code]);
  notices.value = [...others, notice].slice(-NOTICES_MAX);
  // A warning is true until somebody has seen it or until it ends.
  if (notice.level === "info") setTimeout(() => remove((each) => each === notice), INFO_MS);
}

export function dismiss(code: string): void {
  remove((each) => each.code === code);
}

/** Another connection: what waited for its end on the old one would wait for ever. */
export function endAwaited(): void {
  const awaited = Object.values(ENDS);
  remove((each) => awaited.includes(each.code));
}

function remove(which: (notice: Notice) => boolean): void {
  const left = notices.peek().filter((each) => !which(each));
  if (left.length < notices.peek().length) notices.value = left;
}
