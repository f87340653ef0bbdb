/** Whether a session's page shows the present, and if not, why. */

import type { Hold } from "../store";

export interface Mark {
  state: "live" | "catching-up" | "stale";
  words: string;
  /** The same for a tab, where it is worth a word. */
  short?: string;
  reopen?: string;
}

const FOLLOW = "Follow again";

type Words = Omit<Mark, "state">;

const QUIET: Record<string, Words> = {
  cap: { words: "Not followed any more: other sessions were opened", short: "quiet", reopen: FOLLOW },
  slow: { words: "Not followed any more: this browser was too slow", short: "too slow", reopen: FOLLOW },
  forbidden: { words: "Not followed any more: not allowed", short: "not allowed", reopen: FOLLOW },
  deleted: { words: "This session was deleted", short: "deleted" },
};

const UNFOLLOWED: Words = { words: "Not followed any more", short: "quiet", reopen: FOLLOW };

const FINAL: Record<string, Words> = {
  unknown_session: { words: "No such session", short: "not known" },
  forbidden: { words: "Not allowed for this credential", short: "not allowed" },
};

const FOR_NOW: Record<string, string> = {
  backend: "The tower cannot reach its log",
  rate: "It was asked for too often",
};

const ANEW: Mark = { state: "catching-up", words: "Being read anew…", short: "read anew" };
const BEHIND: Mark = { state: "catching-up", words: "Catching up…", short: "catching up" };
const OPENING: Mark = { state: "catching-up", words: "Catching up…" };

/** Why a snapshot is on its way, where the person may wonder: by the hub's reasons, and our own. */
const STALE: Record<string, Mark> = {
  slow: BEHIND,
  worker: ANEW,
  epoch: ANEW,
  trimmed: ANEW,
  gap: ANEW,
};

export function markOf(hold: Hold | undefined): Mark {
  if (!hold) return OPENING;
  if (hold.problem) return problemOf(hold, hold.problem);
  if (hold.quiet) return { state: "stale", ...(QUIET[hold.quiet] ?? UNFOLLOWED) };
  if (hold.unconfirmed) return { state: "stale", words: "Not connected: these are the last known values" };
  if (hold.detail === null) return OPENING;
  if (hold.stale !== null) return STALE[hold.stale] ?? OPENING;
  if (!hold.live) return OPENING;
  return { state: "live", words: "Live" };
}

function problemOf(hold: Hold, problem: string): Mark {
  const final = FINAL[problem];
  if (final) return { state: "stale", ...final };
  const words = FOR_NOW[problem] ?? "It could not be read";
  if (hold.refusals <= 1) return { state: "stale", words: `${words}, trying again…` };
  return { state: "stale", words, short: "not read", reopen: "Try again" };
}
