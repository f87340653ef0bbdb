/** Overview rows: latest wins by id. The cursor is this connection's alone and never resumed. */

import type { FrameOf, Summary, Totals } from "../protocol";
import { stage, type Staging } from "./parts";
import type { Outcome } from "./outcome";

export interface Overview {
  cursor: string | null;
  /** False from the first gap until a whole snapshot is applied. */
  current: boolean;
  rows: Map<string, Summary>;
  totals: Totals | null;
  staging: Staging<FrameOf<"overview.snapshot">> | null;
}

export function emptyOverview(): Overview {
  return { cursor: null, current: false, rows: new Map(), totals: null, staging: null };
}

export function overviewSnapshot(
  overview: Overview,
  frame: FrameOf<"overview.snapshot">,
  outcome: Outcome,
): void {
  const staged = stage(overview.staging, frame);
  overview.staging = staged.state === "more" ? staged.staging : null;
  if (staged.state === "broken") return lose(overview, outcome, "parts");
  if (staged.state !== "whole") return;
  overview.rows = new Map(staged.received.flatMap((part) => part.sessions).map((row) => [row.id, row]));
  const totals = staged.received.findLast((part) => part.totals)?.totals;
  if (totals) overview.totals = totals;
  overview.cursor = frame.cursor;
  overview.current = true;
  outcome.allRows = true;
  outcome.totals = true;
}

export function overviewPatch(overview: Overview, frame: FrameOf<"overview.patch">, outcome: Outcome): void {
  // A snapshot is on its way already: asking again would only make a second one.
  if (!overview.current) return;
  if (frame.from !== overview.cursor) return lose(overview, outcome, "gap");
  for (const change of frame.set ?? []) setRow(overview.rows, change, outcome);
  for (const id of frame.gone ?? []) {
    if (overview.rows.delete(id)) outcome.rows.add(id);
  }
  if (frame.totals) {
    overview.totals = frame.totals;
    outcome.totals = true;
  }
  overview.cursor = frame.cursor;
}

function setRow(
  rows: Map<string, Summary>,
  change: Partial<Summary> & { id: string },
  outcome: Outcome,
): void {
  rows.set(change.id, { ...rows.get(change.id), ...change } as Summary);
  outcome.rows.add(change.id);
}

export function overviewHeartbeat(overview: Overview, cursor: string | undefined, outcome: Outcome): void {
  if (cursor !== undefined && overview.current && cursor !== overview.cursor)
    lose(overview, outcome, "heartbeat");
}

function lose(overview: Overview, outcome: Outcome, reason: string): void {
  overview.current = false;
  outcome.requests.push({ type: "resync", scope: "overview", reason });
}
