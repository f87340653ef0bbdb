/** What one frame did: what to redraw, and what to ask the hub for. */

import type { ClientFrame } from "../protocol";

export interface Outcome {
  requests: ClientFrame[];
  allRows: boolean;
  rows: Set<string>;
  totals: boolean;
  attention: boolean;
  sessions: Set<string>;
}

export function emptyOutcome(): Outcome {
  return {
    requests: [],
    allRows: false,
    rows: new Set(),
    totals: false,
    attention: false,
    sessions: new Set(),
  };
}
