/** What the API answers of the past. Names are its own, untranslated. */

import type { CostState, Prices, Summary, Tokens } from "../protocol";

/** A piece of a text: its parts, and whether each is what was looked for. */
export type Hit = [text: string, is_hit: boolean][];

export interface Page {
  sessions: Summary[];
  next: string | null;
  total: number;
  hits: Record<string, Hit>;
}

export interface Spent extends Tokens {
  cost_usd: number | null;
  cost_state: CostState;
  calls: number;
  unpriced_calls: number;
  sessions: number;
}

export interface ToolCalls {
  calls: number;
  errors: number | null;
  total_ms: number | null;
  sessions: number;
}

/** Sums by key; the key of what has none is null. */
export interface Usage<Sums> {
  rows: (Sums & { key: string | null })[];
  more: boolean;
  total: Sums;
  unpriced_models: string[];
  prices: Prices;
}
