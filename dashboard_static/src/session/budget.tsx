/** How much of what may be spent is spent. */

import { cost, usd } from "../format";
import { t } from "../messages";
import type { Summary } from "../protocol";

type BudgetState = "within" | "near" | "over" | "unknown";

const NEAR = 0.8;

function budgetState(spent: number | null, limit: number): BudgetState {
  if (spent === null) return "unknown";
  if (spent >= limit) return "over";
  return spent >= NEAR * limit ? "near" : "within";
}

export function Budget({ session, limit }: { session: Summary; limit: number }) {
  const spent = session.cost_usd;
  const state = budgetState(spent, limit);
  const percent = limit > 0 ? Math.floor((100 * (spent ?? 0)) / limit) : 100;
  const words =
    spent === null
      ? t("Budget {limit}; what is spent is not known.", { limit: usd(limit) })
      : t("Budget: {spent} of {limit} spent, {percent} %.", {
          spent: cost(spent, session.cost_state),
          limit: usd(limit),
          percent,
        });
  return (
    <span
      class="metric-budget"
      role="meter"
      aria-label={words}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.min(100, percent)}
      aria-valuetext={words}
      title={words}
      data-state={state}
      data-testid="budget"
    >
      <svg viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">
        <rect class="budget-spent" width={Math.min(100, percent)} height="3" />
      </svg>
    </span>
  );
}
