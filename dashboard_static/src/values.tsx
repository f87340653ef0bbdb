/** Values that are shown in more than one place, each always in the same way. */

import { compact, cost, exact, sum, tokensTitle, UNKNOWN } from "./format";
import type { CostState, Status, Tokens } from "./protocol";

export function StatusWord({ status }: { status: Status }) {
  return (
    <span class="status" data-status={status}>
      <span class="dot" aria-hidden="true" />
      {status}
    </span>
  );
}

export function TokenCount({ tokens }: { tokens: Tokens | null | undefined }) {
  const total = sum(tokens);
  if (total === null) return <Unknown why="No transcript was read, so tokens are not known." />;
  return <span title={tokensTitle(tokens)}>{compact(total)}</span>;
}

export function Cost({ usd, state }: { usd: number | null; state: CostState }) {
  const text = cost(usd, state);
  if (text === UNKNOWN) return <Unknown why="The cost is not known." />;
  return (
    <span class={state === "priced" ? undefined : "uncertain"} title={COST_WORDS[state]} data-state={state}>
      {text}
    </span>
  );
}

const COST_WORDS: Record<CostState, string> = {
  priced: "Every call has a price.",
  partial: "Some calls have no price: this is a lower bound.",
  unpriced: "There is no price for this model.",
  unknown: "The cost is not known.",
};

export function Count({ value }: { value: number | null | undefined }) {
  return value == null ? <Unknown /> : <span title={exact(value)}>{compact(value)}</span>;
}

export function Unknown({ why }: { why?: string }) {
  return (
    <span class="unknown" title={why}>
      {UNKNOWN}
    </span>
  );
}

export function Progress({ done, total }: { done: number; total: number }) {
  return (
    <span class="progress" data-complete={done >= total}>
      <svg class="progress-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="progress-track" width="100" height="4" rx="2" />
        <rect
          class="progress-done"
          width={(100 * Math.min(done, total)) / Math.max(1, total)}
          height="4"
          rx="2"
        />
      </svg>
      <span class="progress-words">
        {done}/{total}
      </span>
    </span>
  );
}
