/** What is spent of a limit. Nothing is shown where there is none. */

import { unknown, usd } from "../format";
import { t } from "../messages";
import type { Budget } from "./spent";

const HIGH = 80;

interface Props {
  scope: "day" | "month";
  budget: Budget | undefined;
}

export function BudgetBar({ scope, budget }: Props) {
  if (!budget || budget.limit_usd === null) return null;
  const { limit_usd, spent_usd } = budget;
  const percent = spent_usd === null ? 0 : Math.floor((100 * spent_usd) / limit_usd);
  const level = percent >= 100 ? "over" : percent >= HIGH ? "high" : "low";
  const values = { spent: spent_usd === null ? unknown() : usd(spent_usd), limit: usd(limit_usd), percent };
  return (
    <div class="budget" data-testid={`budget-${scope}`} data-level={level} title={spent_usd === null ? undefined : titleOf(scope, level, values)}>
      <span class="budget-figures">{t("{spent} of {limit}", values)}</span>
      <svg class="budget-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="progress-track" width="100" height="4" />
        <rect class="budget-spent" width={Math.min(100, percent)} height="4" />
      </svg>
      <span class="total-name">{wordsOf(scope, level)}</span>
    </div>
  );
}

function wordsOf(scope: Props["scope"], level: string): string {
  if (level === "over") return scope === "day" ? t("over the day's budget") : t("over the month's budget");
  return scope === "day" ? t("the day's budget") : t("the month's budget");
}

function titleOf(scope: Props["scope"], level: string, values: Record<string, string | number>): string {
  const words =
    scope === "day"
      ? t("{percent} % of today's budget is spent.", values)
      : t("{percent} % of this month's budget is spent.", values);
  return level === "over" ? `${words} ${t("Nothing is stopped by it.")}` : words;
}
