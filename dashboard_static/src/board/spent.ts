/** What today has cost, out of history, and what it may: asked now and then while somebody looks. */

import { effect, signal } from "@preact/signals";
import { get, todayUsagePath } from "../api";
import { now } from "../clock";
import { isoDay, sum } from "../format";
import { totals } from "../live";
import type { CostState, Tokens } from "../protocol";
import { isDrawn } from "../startup";

export interface Today extends Tokens {
  cost_usd: number | null;
  cost_state: CostState;
}

export interface Budget {
  limit_usd: number | null;
  spent_usd: number | null;
}

type Budgets = Record<"day" | "month", Budget>;

export const today = signal<Today | null>(null);
export const budgets = signal<Budgets | null>(null);

const EVERY_MS = 15_000;
/** History is written a moment after the board has moved. */
const WRITTEN_MS = 3000;

/** Until the returned function is called. */
export function followSpent(): () => void {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let asked_ms = 0;
  let changed_ms = 0;
  let told = "";
  const ask = async () => {
    timer = null;
    // Whoever comes back to the page changes its totals, or its clock: that asks again.
    if (document.hidden) return void (told = "");
    asked_ms = Date.now();
    if (changed_ms > asked_ms - WRITTEN_MS) later();
    const [usage, limits] = await Promise.all([
      get<{ total: Today }>(todayUsagePath()),
      get<Budgets>("api/budgets"),
    ]);
    // With the next frame, as all that changes the board.
    requestAnimationFrame(() => {
      if (usage.body) today.value = usage.body.total;
      if (limits.body) budgets.value = limits.body;
    });
  };
  const later = () => {
    timer ??= setTimeout(ask, Math.max(WRITTEN_MS, asked_ms + EVERY_MS - Date.now()));
  };
  const stop = effect(() => {
    const all = totals.value;
    if (all === null || !isDrawn.value) return;
    const next = `${isoDay(now.value)} ${all.cost_usd} ${sum(all.tokens)}`;
    if (next === told) return;
    const isFirst = asked_ms === 0;
    told = next;
    changed_ms = Date.now();
    if (isFirst) void ask();
    else later();
  });
  return () => {
    stop();
    if (timer !== null) clearTimeout(timer);
  };
}
