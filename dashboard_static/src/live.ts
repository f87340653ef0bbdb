/**
 * The model made visible. Frames change the model at once; the signals that the screen reads are
 * set once per animation frame, and only those whose values changed.
 */

import { batch, computed, signal, type Signal } from "@preact/signals";
import { matcher, noFilter, type Filter } from "./board/filter";
import type { Item, Summary, Totals } from "./protocol";
import { emptyModel, type Hold, type Outcome } from "./store";
import { inbox } from "./store/attention";
import { reorder, sorted } from "./store/order";
import { emptyOutcome } from "./store/outcome";

export const model = emptyModel();

const order = signal<string[]>([]);
export const filter = signal<Filter>(noFilter);
export const totals = signal<Totals | null>(null);
export const items = signal<Item[]>([]);
export const holds = signal<Hold[]>([]);
export const overviewCurrent = signal(false);
/** False until the first rows were here: an empty board and an unknown one look different. */
export const loaded = signal(false);
export const rowCount = signal(0);

const rowSignals = new Map<string, Signal<Summary | undefined>>();
/** Counts changes of rows' values, for the filter: only it looks at rows that did not move. */
const revision = signal(0);

export function row(id: string): Signal<Summary | undefined> {
  let held = rowSignals.get(id);
  if (!held) rowSignals.set(id, (held = signal(model.overview.rows.get(id))));
  return held;
}

export const shown = computed<string[]>(() => {
  const all = order.value;
  const wanted = filter.value;
  if (wanted === noFilter) return all;
  revision.value;
  const matches = matcher(wanted);
  return all.filter((id) => matches(model.overview.rows.get(id)!));
});

let pending = emptyOutcome();
let scheduled = false;

export function changed(outcome: Outcome): void {
  pending.allRows ||= outcome.allRows;
  pending.totals ||= outcome.totals;
  pending.attention ||= outcome.attention;
  for (const id of outcome.rows) pending.rows.add(id);
  for (const id of outcome.moved) pending.moved.add(id);
  for (const id of outcome.sessions) pending.sessions.add(id);
  schedule();
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  // A hidden page gets no animation frames, yet its title has to count on.
  if (document.hidden) setTimeout(flush, 0);
  else requestAnimationFrame(flush);
}

export function flush(): void {
  scheduled = false;
  const done = pending;
  pending = emptyOutcome();
  batch(() => {
    if (done.allRows) allRows();
    else if (done.rows.size > 0) someRows(done);
    if (done.totals) totals.value = model.overview.totals;
    if (done.attention) items.value = inbox(model.attention);
    if (done.sessions.size > 0) holds.value = [...model.holds.values()];
    overviewCurrent.value = model.overview.current;
  });
}

function allRows(): void {
  const { rows } = model.overview;
  const before = order.peek();
  const after = sorted(rows);
  if (before.length !== after.length || before.some((id, at) => id !== after[at])) order.value = after;
  for (const [id, held] of rowSignals) held.value = rows.get(id);
  rowCount.value = rows.size;
  revision.value++;
  loaded.value = true;
}

function someRows({ rows, moved }: Outcome): void {
  for (const id of rows) {
    const held = rowSignals.get(id);
    if (held) held.value = model.overview.rows.get(id);
  }
  if (moved.size > 0) order.value = reorder(order.peek(), model.overview.rows, moved);
  rowCount.value = model.overview.rows.size;
  revision.value++;
}
