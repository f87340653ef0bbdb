/** What a close code asks of the client, and how long to wait before the next attempt. */

import { later } from "./messages";

export interface Verdict {
  retry: boolean;
  drop_cursors: boolean;
  sign_in: boolean;
  forbidden: boolean;
  words: string;
}

const WORDS: Record<number, string> = {
  1006: later("connection lost"),
  1009: later("a message was too large"),
  1012: later("server restarting"),
  4000: later("server draining"),
  4001: later("this browser was too slow"),
  4002: later("nothing was heard from this browser"),
  4003: later("state invalid"),
  4004: later("backend lost"),
  4005: later("credential expired"),
  4006: later("the board is full"),
  4007: later("too many messages"),
  4500: later("the hub refused a message"),
  4501: later("not signed in"),
  4502: later("greeting came too late"),
  4503: later("the page is older than the hub: reload it"),
  4506: later("not allowed"),
};

export const FULL = 4006;
const EXPIRED = 4005;

export function verdict(code: number): Verdict {
  const fatal = code === 1009 || (code >= 4500 && code <= 4999);
  return {
    // It will be let in again, but only with a credential that a person has to give.
    retry: !fatal && code !== EXPIRED,
    drop_cursors: code === 4003,
    sign_in: code === EXPIRED || code === 4501,
    forbidden: code === 4506,
    words: WORDS[code] ?? WORDS[1006]!,
  };
}

const QUICK_MS = 1000;
export const SHORTEST_MS = 500;
const LONGEST_MS = 30_000;

/** A line that broke is most often there again at once, for the first try at least. */
export const quickDelay = (random: number): number => Math.round(random * QUICK_MS);

/** Full jitter, so that a thousand boards do not return in the same second. */
export function retryDelay(losses: number, random: number): number {
  const ceiling = Math.min(LONGEST_MS, 1000 * 2 ** losses);
  return Math.round(SHORTEST_MS + random * (ceiling - SHORTEST_MS));
}
