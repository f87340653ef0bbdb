/** A tool's start and its end are two entries and one row. */

import type { Entry } from "../protocol";

export interface TimelineRow {
  key: string;
  start: Entry;
  end: Entry | null;
}

/** A row is the same object for as long as it says the same, so that nothing is drawn for it again. */
const made = new WeakMap<Entry, TimelineRow>();

function rowOf(start: Entry, end: Entry | null): TimelineRow {
  const held = made.get(start);
  if (held && held.end === end) return held;
  const row = { key: start.id, start, end };
  made.set(start, row);
  return row;
}

export function timelineRows(entries: readonly Entry[]): TimelineRow[] {
  const starts: Entry[] = [];
  const ends = new Map<number, Entry>();
  const places = new Map<string, number>();
  for (const entry of entries) {
    const at = entry.ref == null ? undefined : places.get(entry.ref);
    if (at !== undefined) ends.set(at, entry);
    else {
      places.set(entry.id, starts.length);
      starts.push(entry);
    }
  }
  return starts.map((start, at) => rowOf(start, ends.get(at) ?? null));
}

/** The row that an entry stands in, by its `seq`. */
export function placeOf(rows: readonly TimelineRow[], seq: number): number {
  return rows.findIndex(({ start, end }) => start.seq === seq || end?.seq === seq);
}

const CLOSED_PX = 30;
const OPEN_MAX_PX = 320;
const LINE_PX = 18;
const PART_PX = 34;
const LINE_CHARACTERS = 90;

/** Guessed from the text, never measured: what is longer than the guess scrolls inside its row. */
export function heightOf({ start, end }: TimelineRow, open: boolean): number {
  if (!open) return CLOSED_PX;
  const parts = end ? [start, end] : [start];
  const lines = parts.reduce((sum, entry) => sum + linesOf(entry.text ?? ""), 0);
  const buttons = parts.filter((entry) => entry.full_bytes != null).length;
  return Math.min(OPEN_MAX_PX, CLOSED_PX + parts.length * PART_PX + (lines + buttons * 1.5) * LINE_PX + 16);
}

function linesOf(text: string): number {
  return text
    .split("\n")
    .reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / LINE_CHARACTERS)), 0);
}

/** Where each row begins; one more than there are rows, the last being the whole height. */
export function offsets(rows: readonly TimelineRow[], opened: ReadonlySet<string>, from = 0): number[] {
  const tops = [from];
  for (const row of rows) tops.push((from += heightOf(row, opened.has(row.key))));
  return tops;
}

/** The row at a height, by halving. */
export function rowAt(tops: readonly number[], y: number): number {
  let low = 0;
  let high = Math.max(0, tops.length - 2);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tops[middle]! <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}

export type Outcome = "running" | "done" | "failed" | "none";

/** A tool's start without an end is at work, unless the session is not. */
export function outcomeOf({ start, end }: TimelineRow, atWork: boolean): Outcome {
  if (start.kind === "error") return "failed";
  if (start.kind !== "tool") return "none";
  const status = end?.status ?? start.status;
  if (status && /error|fail|denied|reject|interrupt|cancel/i.test(status)) return "failed";
  if (end || start.ref) return "done";
  return atWork ? "running" : "none";
}
