/** The one word in the header that says how far the screen can be trusted. */

import type { Link } from "./connection";

export type ConnectionState = "live" | "catching-up" | "behind" | "polling" | "offline";

interface Inputs {
  link: Link;
  polling: boolean;
  overviewCurrent: boolean;
  told_behind: boolean;
  now: number;
}

/** Heartbeats come every 10 s; one that is missing is worth a word, and a question to the hub. */
export const LATE_MS = 12_000;

export function connectionState({
  link,
  polling,
  overviewCurrent,
  told_behind,
  now,
}: Inputs): ConnectionState {
  if (link.phase === "open") {
    if (!overviewCurrent) return "catching-up";
    return told_behind || now - (link.heard_at ?? now) > LATE_MS ? "behind" : "live";
  }
  if (polling) return "polling";
  // An attempt after a loss may lead nowhere: until it does, nothing is caught up with.
  return link.phase === "connecting" && link.code === null ? "catching-up" : "offline";
}
