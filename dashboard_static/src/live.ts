/**
 * The model made visible. Frames change the model at once; the signals that the screen reads are
 * set once per animation frame at most, and only those whose values changed.
 */

import { batch, effect, signal, untracked, type Signal } from "@preact/signals";
import { forgetTokens, keepTokens, noteTokens } from "./board/activity";
import { choices, isStirred, settle, stir, stirAll, sumUp } from "./board/layout";
import { sort } from "./board/choices";
import { heldUntil, noteMoved } from "./board/scrolled";
import { Pace } from "./pace";
import type { Item, Summary, Totals } from "./protocol";
import { emptyModel, type Hold, type Outcome } from "./store";
import { inbox } from "./store/attention";
import { emptyOutcome } from "./store/outcome";

export const model = emptyModel();

export const totals = signal<Totals | null>(null);
export const items = signal<Item[]>([]);
export const holds = signal<Hold[]>([]);
export const overviewCurrent = signal(false);
/** False until the first rows were here: an empty board and an unknown one look different. */
export const loaded = signal(false);
export const rowCount = signal(0);

const rowSignals = new Map<string, Signal<Summary | undefined>>();

/** The row of a session, undefined while the board has none. To be asked for anew at each drawing. */
export const row = (id: string): Signal<Summary | undefined> => rowSignals.get(id) ?? newRow(id);

/** Kept while somebody looks at it: a board may be open for weeks. */
function newRow(id: string): Signal<Summary | undefined> {
  return signal(model.overview.rows.get(id), {
    watched() {
      if (!rowSignals.has(id)) rowSignals.set(id, this);
    },
    unwatched() {
      if (rowSignals.get(id) === this) rowSignals.delete(id);
    },
  });
}

let pending = emptyOutcome();
let scheduled = false;

export function changed(outcome: Outcome): void {
  pending.allRows ||= outcome.allRows;
  pending.totals ||= outcome.totals;
  pending.attention ||= outcome.attention;
  for (const id of outcome.rows) pending.rows.add(id);
  for (const id of outcome.sessions) pending.sessions.add(id);
  schedule();
}

/**
 * All that changes, and what the browser makes of it, takes at most a sixteenth of the page's time: a
 * person who scrolls or types goes before. With few changes no frame is left out.
 */
const SHARE = 16;
const APART_MAX_MS = 200;
const frames = new Pace(schedule);

function schedule(): void {
  if (scheduled) return;
  if (!pending.allRows && !frames.ready(performance.now())) return;
  scheduled = true;
  // A hidden page gets no animation frames, yet its title has to count on.
  if (document.hidden) setTimeout(flush, 0);
  else requestAnimationFrame(flush);
}

export function flush(): void {
  scheduled = false;
  const began = performance.now();
  const done = pending;
  pending = emptyOutcome();
  batch(() => {
    if (done.allRows) allRows();
    else if (done.rows.size > 0) someRows(done);
    inPlace();
    if (done.totals) totals.value = model.overview.totals;
    if (done.attention) items.value = inbox(model.attention);
    if (done.sessions.size > 0) holds.value = [...model.holds.values()];
    overviewCurrent.value = model.overview.current;
  });
  // Runs behind the frame: style, layout and painting count as well.
  setTimeout(() => {
    const now = performance.now();
    frames.rest(now + Math.min(APART_MAX_MS, (SHARE - 1) * (now - began)));
  });
}

function allRows(): void {
  const { rows } = model.overview;
  for (const [id, held] of rowSignals) held.value = rows.get(id);
  keepTokens(rows);
  for (const [id, { tokens }] of rows) noteTokens(id, tokens);
  rowCount.value = rows.size;
  loaded.value = true;
  stirAll();
  chosen = true;
}

function someRows({ rows }: Outcome): void {
  for (const id of rows) {
    const value = model.overview.rows.get(id);
    const held = rowSignals.get(id);
    if (held) held.value = value;
    if (value) noteTokens(id, value.tokens);
    else forgetTokens(id);
  }
  rowCount.value = model.overview.rows.size;
  stir(rows, model.overview.rows);
  summed = false;
}

/** At most a sixtieth of the time goes into places, however many rows there are. */
const REST = 60;
const REST_MAX_MS = 250;
/** By activity rows would dance: nobody can follow that many times a second. */
const RESTLESS_MS = 1000;
const SUMS_MS = 1000;

const places = new Pace(schedule);
const sums = new Pace(schedule);
/** Something that a person, or a snapshot, wants at once. */
let chosen = true;
let summed = true;

/** Rows that change all the time would leave no time for anything else, so that they take turns. */
function inPlace(): void {
  const { rows } = model.overview;
  const now = performance.now();
  const isWanted = chosen;
  if (!isWanted) places.hold(heldUntil());
  if (isStirred() && (isWanted || places.ready(now))) {
    chosen = summed = false;
    settle(rows);
    noteMoved(now);
    const cost = performance.now() - now;
    const isRestless = sort.peek() === "updated" || sort.peek() === "cost";
    places.rest(now + (isRestless ? RESTLESS_MS : Math.min(REST_MAX_MS, REST * cost)));
  }
  if (!summed && (isWanted || sums.ready(now))) {
    sumUp(rows);
    sums.rest(now + SUMS_MS);
    summed = true;
  }
}

effect(() => {
  choices();
  untracked(() => {
    stirAll();
    chosen = true;
    flush();
  });
});
