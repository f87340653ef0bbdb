/**
 * The client's whole state and the one function that changes it by a frame. No clock, no I/O, no
 * DOM: a recording of frames replays here exactly. Three cursor spaces, never mixed.
 */

import { own } from "./own";
import type { ClientFrame, Hello, ServerFrame, View } from "./protocol";
import { attention, attentionHeartbeat, emptyAttention, type Attention } from "./store/attention";
import {
  disconnected,
  opened,
  reopened,
  retried,
  sessionError,
  sessionEvicted,
  sessionHeartbeat,
  sessionPatch,
  sessionSnapshot,
  sessionStale,
  type Hold,
} from "./store/hold";
import { emptyOutcome, type Outcome } from "./store/outcome";
import {
  emptyOverview,
  overviewHeartbeat,
  overviewPatch,
  overviewSnapshot,
  type Overview,
} from "./store/overview";

export type { Attention, Hold, Outcome, Overview };

/** Opened tabs kept in all; beyond the subscriptions the older ones are quiet. */
export const HOLDS_MAX = 8;

export interface Model {
  overview: Overview;
  attention: Attention;
  /** Opened sessions, least recently opened first. */
  holds: Map<string, Hold>;
  active: string | null;
}

export function emptyModel(): Model {
  return { overview: emptyOverview(), attention: emptyAttention(), holds: new Map(), active: null };
}

export function receive(model: Model, frame: ServerFrame): Outcome {
  const outcome = emptyOutcome();
  switch (frame.type) {
    case "overview.snapshot":
      overviewSnapshot(model.overview, frame, outcome);
      break;
    case "overview.patch":
      overviewPatch(model.overview, frame, outcome);
      break;
    case "attention":
      attention(model.attention, frame, outcome);
      break;
    case "session.snapshot":
      change(model, frame.session, outcome, (hold) => sessionSnapshot(hold, frame, outcome));
      break;
    case "session.patch":
      change(model, frame.session, outcome, (hold) => sessionPatch(hold, frame, outcome));
      break;
    case "session.evicted":
      change(model, frame.session, outcome, (hold) => sessionEvicted(hold, frame.reason));
      break;
    case "session.stale":
      change(model, frame.session, outcome, (hold) => sessionStale(hold, frame.reason));
      break;
    case "error":
      if (frame.session)
        change(model, frame.session, outcome, (hold) =>
          sessionError(hold, frame.code, model.active, outcome),
        );
      break;
    case "heartbeat":
      overviewHeartbeat(model.overview, frame.overview, outcome);
      attentionHeartbeat(model.attention, frame.attention, outcome);
      for (const id of model.holds.keys()) {
        change(model, id, outcome, (hold) => sessionHeartbeat(hold, own(frame.sessions ?? {}, id), outcome));
      }
      break;
  }
  return outcome;
}

function change(model: Model, id: string, outcome: Outcome, by: (hold: Hold) => Hold): void {
  const before = model.holds.get(id);
  if (!before) return;
  const after = by(before);
  if (after === before) return;
  model.holds.set(id, after);
  outcome.sessions.add(id);
}

/** The person opens a session. A quiet one always begins again with a snapshot. */
export function open(model: Model, id: string): ClientFrame[] {
  const before = model.holds.get(id);
  model.active = id;
  if (before && !before.quiet && before.problem === null) {
    toEnd(model, id, before);
    return [{ type: "activate", session: id }];
  }
  toEnd(model, id, before ? reopened(before) : opened(id));
  return [{ type: "subscribe", session: id, activate: true }, ...forgetOldest(model)];
}

export function close(model: Model, id: string): ClientFrame[] {
  const hold = model.holds.get(id);
  model.holds.delete(id);
  if (model.active === id) model.active = null;
  return hold && !hold.quiet ? [{ type: "unsubscribe", session: id }] : [];
}

export function leave(model: Model): ClientFrame[] {
  if (model.active === null) return [];
  model.active = null;
  return [{ type: "activate", session: null }];
}

function toEnd(model: Model, id: string, hold: Hold): void {
  model.holds.delete(id);
  model.holds.set(id, hold);
}

function forgetOldest(model: Model): ClientFrame[] {
  const surplus = [...model.holds.keys()].slice(0, Math.max(0, model.holds.size - HOLDS_MAX));
  return surplus.flatMap((id) => close(model, id));
}

/** What the hub refused for now is asked for once more. */
export function retry(model: Model, id: string): ClientFrame[] {
  const hold = model.holds.get(id);
  const after = hold && retried(hold);
  if (!after || after === hold) return [];
  model.holds.set(id, after);
  return after.stale === null ? [] : [{ type: "subscribe", session: id, activate: id === model.active }];
}

/** The connection is gone: what is held stays on screen, marked. */
export function disconnect(model: Model, dropCursors: boolean): Outcome {
  const outcome = emptyOutcome();
  Object.assign(model.overview, { cursor: null, current: false, staging: null });
  Object.assign(model.attention, { cursor: null, current: false, staging: null, meanwhile: [] });
  for (const [id, hold] of model.holds) {
    const after = disconnected(hold);
    // Without its cursor it can only come back by a snapshot, which nothing else may stand in for.
    const anew = { ...after, cursor: null, stale: after.stale ?? "epoch" };
    model.holds.set(id, dropCursors ? anew : after);
    outcome.sessions.add(id);
  }
  outcome.attention = true;
  return outcome;
}

export function hello(model: Model, rate_hz: number, subscriptions: number, view: View): Hello {
  const resume = [...model.holds.values()].flatMap((hold) =>
    hold.cursor !== null && !hold.quiet ? [{ session: hold.session, cursor: hold.cursor }] : [],
  );
  const frame: Hello = {
    type: "hello",
    protocol: 1,
    client: "dashboard/1.0",
    rate_hz,
    subscriptions,
    view,
    resume,
  };
  if (model.active !== null && resume.some((each) => each.session === model.active))
    frame.active = model.active;
  return frame;
}

/** What hello could not resume, because no cursor is held for it, has to be opened anew. */
export function resubscribe(model: Model): ClientFrame[] {
  return [...model.holds.values()].flatMap((hold): ClientFrame[] =>
    hold.cursor === null && !hold.quiet && hold.problem === null
      ? [{ type: "subscribe", session: hold.session, activate: hold.session === model.active }]
      : [],
  );
}
