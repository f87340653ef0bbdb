/** Whether a session's page shows the present, and if not, why. */

import { later, t } from "../messages";
import type { Hold } from "../store";

export interface Mark {
  state: "live" | "catching-up" | "stale";
  words: string;
  /** The same for a tab, where it is worth a word. */
  short?: string;
  reopen?: string;
}

type Words = Omit<Mark, "state">;

const FOLLOW = later("Follow again");
const QUIET_WORD = later("quiet");
const NOT_ALLOWED = later("not allowed");
const CATCHING_UP = later("Catching up…");
const READ_ANEW = later("Being read anew…");

const QUIET: Record<string, Words> = {
  cap: {
    words: later("Not followed any more: other sessions were opened"),
    short: QUIET_WORD,
    reopen: FOLLOW,
  },
  slow: {
    words: later("Not followed any more: this browser was too slow"),
    short: later("too slow"),
    reopen: FOLLOW,
  },
  forbidden: { words: later("Not followed any more: not allowed"), short: NOT_ALLOWED, reopen: FOLLOW },
  deleted: { words: later("This session was deleted"), short: later("deleted") },
};

const UNFOLLOWED: Words = { words: later("Not followed any more"), short: QUIET_WORD, reopen: FOLLOW };

const FINAL: Record<string, Words> = {
  unknown_session: { words: later("No such session"), short: later("not known") },
  forbidden: { words: later("Not allowed for this credential"), short: NOT_ALLOWED },
};

/** By what the hub refused: while it is tried once more, and after that. */
const FOR_NOW: Record<string, [trying: string, given_up: string]> = {
  backend: [
    later("The tower cannot reach its log, trying again…"),
    later("The tower cannot reach its log"),
  ],
  rate: [later("It was asked for too often, trying again…"), later("It was asked for too often")],
};
const NOT_READ: [string, string] = [later("It could not be read, trying again…"), later("It could not be read")];

const UNCONFIRMED: Words = { words: later("Not connected: these are the last known values") };
const ANEW: Words = { words: READ_ANEW, short: later("read anew") };
const BEHIND: Words = { words: CATCHING_UP, short: later("catching up") };
const OPENING: Words = { words: CATCHING_UP };
const LIVE: Words = { words: later("Live") };

/** Why a snapshot is on its way, where the person may wonder: by the hub's reasons, and our own. */
const STALE: Record<string, Words> = {
  slow: BEHIND,
  worker: ANEW,
  epoch: ANEW,
  trimmed: ANEW,
  gap: ANEW,
};

export function markOf(hold: Hold | undefined): Mark {
  if (!hold) return mark("catching-up", OPENING);
  if (hold.problem) return mark("stale", problemOf(hold, hold.problem));
  if (hold.quiet) return mark("stale", QUIET[hold.quiet] ?? UNFOLLOWED);
  if (hold.unconfirmed) return mark("stale", UNCONFIRMED);
  if (hold.detail === null) return mark("catching-up", OPENING);
  if (hold.stale !== null) return mark("catching-up", STALE[hold.stale] ?? OPENING);
  return hold.live ? mark("live", LIVE) : mark("catching-up", OPENING);
}

function problemOf(hold: Hold, problem: string): Words {
  const final = FINAL[problem];
  if (final) return final;
  const [trying, given_up] = FOR_NOW[problem] ?? NOT_READ;
  if (hold.refusals <= 1) return { words: trying };
  return { words: given_up, short: later("not read"), reopen: later("Try again") };
}

function mark(state: Mark["state"], { words, short, reopen }: Words): Mark {
  return { state, words: t(words), ...(short && { short: t(short) }), ...(reopen && { reopen: t(reopen) }) };
}
