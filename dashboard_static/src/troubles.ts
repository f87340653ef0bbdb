/** Machines that send from afar and are silent or behind, as words. The hub says which they are. */

import { bytes, clockMinute, DAY, dayMinute } from "./format";
import { t } from "./messages";
import type { TroubledSource } from "./protocol";

/** One line each. A time of another day has its day. */
export function troubleLines(sources: readonly TroubledSource[], now: number): string[] {
  return sources.map(({ host, state, heard_at, bytes_behind }) => {
    if (state === "late") return t("{host} is {size} behind", { host, size: bytes(bytes_behind ?? 0) });
    const time = now - heard_at < DAY ? clockMinute(heard_at) : dayMinute(heard_at);
    return t("nothing from {host} since {time}", { host, time });
  });
}

/** All of them in the room of one. */
export function troubleWords(lines: readonly string[]): string {
  const [first = "", ...others] = lines;
  return others.length ? t("{first}, and {count} more", { first, count: others.length }) : first;
}

/** Which troubles these are, whatever grows meanwhile. */
export const troubleKey = (sources: readonly TroubledSource[]): string =>
  JSON.stringify(sources.map(({ host, user, state, heard_at }) => [host, user, state, state === "silent" && heard_at]));
