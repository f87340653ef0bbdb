/** What a group comes to. Sums leave out what is not known, and say so. Pure. */

import { sum } from "../format";
import type { CostState, Summary } from "../protocol";

export interface Figures {
  sessions: number;
  waiting: number;
  tokens: number | null;
  cost_usd: number | null;
  cost_state: CostState;
}

export function figuresOf(ids: readonly string[], rows: ReadonlyMap<string, Summary>): Figures {
  let waiting = 0;
  let tokens: number | null = null;
  let cost_usd: number | null = null;
  let exact = true;
  let unpriced = false;
  for (const id of ids) {
    const row = rows.get(id);
    if (!row) continue;
    if (row.attention > 0 || row.status === "waiting") waiting++;
    const told = sum(row.tokens);
    if (told !== null) tokens = (tokens ?? 0) + told;
    if (row.cost_usd !== null && row.cost_state !== "unpriced") cost_usd = (cost_usd ?? 0) + row.cost_usd;
    exact &&= row.cost_state === "priced";
    unpriced ||= row.cost_state === "unpriced";
  }
  const cost_state = cost_usd === null ? (unpriced ? "unpriced" : "unknown") : exact ? "priced" : "partial";
  return { sessions: ids.length, waiting, tokens, cost_usd, cost_state };
}
