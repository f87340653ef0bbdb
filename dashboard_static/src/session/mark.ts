/** Whether a session's page shows the present, and if not, why. */

import type { Hold } from "../store";

export interface Mark {
  state: "live" | "catching-up" | "stale";
  words: string;
  reopen?: boolean;
}

const QUIET: Record<string, string> = {
  cap: "Not followed any more: other sessions were opened",
  slow: "Not followed any more: this browser was too slow",
  forbidden: "Not followed any more: not allowed",
  deleted: "This session was deleted",
};

const PROBLEMS: Record<string, string> = {
  unknown_session: "No such session",
  forbidden: "Not allowed for this credential",
};

export function markOf(hold: Hold | undefined): Mark {
  if (!hold) return { state: "catching-up", words: "Catching up…" };
  if (hold.problem)
    return { state: "stale", words: PROBLEMS[hold.problem] ?? "The snapshot failed, trying again…" };
  if (hold.quiet)
    return {
      state: "stale",
      words: QUIET[hold.quiet] ?? "Not followed any more",
      reopen: hold.quiet !== "deleted",
    };
  if (hold.unconfirmed) return { state: "stale", words: "Not connected: these are the last known values" };
  if (hold.detail === null || !hold.live) return { state: "catching-up", words: "Catching up…" };
  if (hold.stale !== null) return { state: "stale", words: "Catching up after a gap…" };
  return { state: "live", words: "Live" };
}
