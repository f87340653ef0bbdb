/** Open attention items: a keyed set, so that applying a frame twice changes nothing. */

import type { FrameOf, Item } from "../protocol";
import { stage, type Staging } from "./parts";
import type { Outcome } from "./outcome";

export interface Attention {
  cursor: string | null;
  current: boolean;
  items: Map<string, Item>;
  /** How the latest of those that closed ended. */
  outcomes: Map<string, string>;
  staging: Staging<FrameOf<"attention">> | null;
  /** Increments that came between the parts of a full set; they are newer than all of it. */
  meanwhile: FrameOf<"attention">[];
}

const OUTCOMES_MAX = 64;

export function emptyAttention(): Attention {
  return {
    cursor: null,
    current: false,
    items: new Map(),
    outcomes: new Map(),
    staging: null,
    meanwhile: [],
  };
}

export function attention(held: Attention, frame: FrameOf<"attention">, outcome: Outcome): void {
  outcome.attention = true;
  if (!frame.full) {
    if (held.staging) held.meanwhile.push(frame);
    upsert(held.items, frame);
    noteOutcomes(held.outcomes, frame);
    held.cursor = frame.cursor;
    return;
  }
  const staged = stage(held.staging, frame);
  held.staging = staged.state === "more" ? staged.staging : null;
  if (staged.state === "more") return;
  if (staged.state === "broken") {
    held.current = false;
    outcome.requests.push({ type: "resync", scope: "attention", reason: "parts" });
  } else {
    held.items = new Map();
    for (const part of staged.received) upsert(held.items, part);
    for (const increment of held.meanwhile) upsert(held.items, increment);
    held.cursor = held.meanwhile.at(-1)?.cursor ?? frame.cursor;
    held.current = true;
  }
  held.meanwhile = [];
}

function upsert(items: Map<string, Item>, frame: FrameOf<"attention">): void {
  for (const item of frame.open ?? []) items.set(item.id, item);
  for (const item of frame.closed ?? []) items.delete(item.id);
}

function noteOutcomes(outcomes: Map<string, string>, frame: FrameOf<"attention">): void {
  for (const { id, outcome } of frame.closed ?? []) {
    outcomes.delete(id);
    if (outcome) outcomes.set(id, outcome);
  }
  for (const id of outcomes.keys()) if (outcomes.size > OUTCOMES_MAX) outcomes.delete(id);
  // What is open again has not ended.
  for (const { id } of frame.open ?? []) outcomes.delete(id);
}

export function attentionHeartbeat(held: Attention, cursor: string | undefined, outcome: Outcome): void {
  if (cursor === undefined || !held.current || held.staging || cursor === held.cursor) return;
  held.current = false;
  outcome.requests.push({ type: "resync", scope: "attention", reason: "heartbeat" });
}

/** The inbox: who has waited longest comes first. */
export function inbox(held: Attention): Item[] {
  return [...held.items.values()].sort((a, b) => a.opened_at - b.opened_at || (a.id < b.id ? -1 : 1));
}
