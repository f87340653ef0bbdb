/**
 * What is held of one opened session. Two marks keep old values from passing for new ones:
 * `stale` is cleared by the last part of a snapshot and nothing else; `unconfirmed` (the connection
 * was lost) also by a resume patch, which proves that the held cursor was right.
 */

import type { Detail, EvictReason, FrameOf } from "../protocol";
import { stage, type Staging } from "./parts";
import { applyPatch } from "./patch";
import type { Outcome } from "./outcome";

export interface Hold {
  readonly session: string;
  readonly cursor: string | null;
  readonly detail: Detail | null;
  readonly stale: string | null;
  readonly unconfirmed: boolean;
  readonly live: boolean;
  /** Evicted: nothing more will come until it is opened again. */
  readonly quiet: EvictReason | null;
  readonly problem: string | null;
  /** How often in a row it was refused for now: the first such refusal is followed by one retry. */
  readonly refusals: number;
  readonly staging: Staging<FrameOf<"session.snapshot">> | null;
}

export function opened(session: string): Hold {
  return {
    session,
    cursor: null,
    detail: null,
    stale: "opening",
    unconfirmed: false,
    live: false,
    quiet: null,
    problem: null,
    refusals: 0,
    staging: null,
  };
}

export function reopened(hold: Hold): Hold {
  return {
    ...hold,
    cursor: null,
    stale: hold.stale ?? "opening",
    quiet: null,
    problem: null,
    refusals: 0,
    staging: null,
    live: false,
  };
}

/** Refused for good: asking again would change nothing. */
export function isFinal(problem: string): boolean {
  return problem === "unknown_session" || problem === "forbidden";
}

export function isFresh(hold: Hold): boolean {
  return hold.detail !== null && hold.stale === null && !hold.unconfirmed;
}

const LOST = "lost";

const EMPTY = {
  objectives_list: {},
  tools: {},
  models: {},
  subagents_tree: {},
  inherited: null,
  usage_sources: {},
  silent: {},
  token_series: [],
  errors_list: [],
};

/** A map or a series that is split between parts is put together again. */
function joined(parts: Partial<Detail>[]): Detail {
  const whole: Record<string, unknown> = { ...EMPTY };
  for (const part of parts) {
    for (const [name, value] of Object.entries(part)) {
      const held = whole[name];
      if (Array.isArray(held) && Array.isArray(value)) whole[name] = [...held, ...value];
      else if (name in EMPTY && held && value) whole[name] = { ...held, ...(value as object) };
      else whole[name] = value;
    }
  }
  return whole as unknown as Detail;
}

export function sessionSnapshot(hold: Hold, frame: FrameOf<"session.snapshot">, outcome: Outcome): Hold {
  const staged = stage(hold.staging, frame);
  if (staged.state === "broken") return lost({ ...hold, staging: null }, outcome, "parts");
  if (staged.state === "more") return { ...hold, staging: staged.staging };
  const detail = joined(staged.received.map((part) => part.detail ?? {}));
  detail.timeline = staged.received.flatMap((part) => part.timeline ?? []).sort((a, b) => a.seq - b.seq);
  detail.timeline_partial =
    staged.received.some((part) => part.timeline_partial) || detail.timeline_partial === true;
  return {
    ...hold,
    cursor: frame.cursor || null,
    detail,
    stale: null,
    unconfirmed: false,
    live: staged.received.some((part) => part.live === true),
    quiet: null,
    problem: null,
    refusals: 0,
    staging: null,
  };
}

export function sessionPatch(hold: Hold, frame: FrameOf<"session.patch">, outcome: Outcome): Hold {
  // Already stale: a snapshot was asked for, and values on top of a gap would be a mixture.
  if (hold.stale !== null || hold.detail === null) return hold;
  if (frame.from !== hold.cursor) return lost(hold, outcome, "gap");
  return {
    ...hold,
    cursor: frame.cursor,
    detail: applyPatch(hold.detail, frame),
    unconfirmed: false,
    live: true,
  };
}

export function sessionEvicted(hold: Hold, reason: EvictReason): Hold {
  return { ...hold, quiet: reason, stale: reason, cursor: null, staging: null, live: false };
}

export function sessionStale(hold: Hold, reason: string): Hold {
  return { ...hold, stale: reason, cursor: null, staging: null, live: false };
}

/**
 * "Unknown" may also mean: no longer opened here, because an eviction crossed our request on its way.
 * So what was once seen is opened anew, and only the second such answer is believed.
 */
export function sessionError(hold: Hold, code: string, active: string | null, outcome: Outcome): Hold {
  if (code !== "unknown_session" || hold.detail === null || hold.stale === LOST)
    return { ...hold, problem: code, refusals: hold.refusals + 1 };
  outcome.requests.push({ type: "subscribe", session: hold.session, activate: hold.session === active });
  return { ...reopened(hold), stale: LOST };
}

export function sessionHeartbeat(hold: Hold, cursor: string | undefined, outcome: Outcome): Hold {
  if (hold.quiet || hold.stale !== null || cursor === hold.cursor) return hold;
  if (cursor !== undefined) return lost(hold, outcome, "heartbeat");
  // The hub does not count us as a subscriber at all, so a resync would be refused.
  outcome.requests.push({ type: "subscribe", session: hold.session, activate: false });
  return { ...hold, stale: LOST, cursor: null, live: false };
}

/** Time to ask once more; what came of the second asking stands until a person opens it again. */
export function retried(hold: Hold): Hold {
  if (hold.problem === null || isFinal(hold.problem) || hold.refusals > 1) return hold;
  return { ...hold, problem: null, refusals: hold.stale === null ? 0 : hold.refusals };
}

/** The next connection may lead to another worker: what was refused for now is asked for there. */
export function disconnected(hold: Hold): Hold {
  const isOver = hold.problem !== null && isFinal(hold.problem);
  return {
    ...hold,
    unconfirmed: true,
    live: false,
    problem: isOver ? hold.problem : null,
    refusals: isOver ? hold.refusals : 0,
    staging: null,
    cursor: hold.stale === null ? hold.cursor : null,
  };
}

function lost(hold: Hold, outcome: Outcome, reason: string): Hold {
  outcome.requests.push({ type: "resync", scope: "session", session: hold.session, reason });
  return { ...hold, stale: reason, cursor: null, live: false };
}
