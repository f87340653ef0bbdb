import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { compact, cost, costStateWords, exact, statusWord, sum, tokensTitle, unknown, usd } from "../format";
import { totals } from "../live";
import { t } from "../messages";
import type { Status } from "../protocol";
import { BudgetBar } from "./budget_bar";
import { onlyStatus } from "./filter_choices";
import { filter } from "./layout";
import { budgets, followSpent, today } from "./spent";

const SHOWN: Status[] = ["running", "waiting", "idle", "failed"];
const NOTHING = "–";

export function TotalsStrip() {
  const all = totals.value;
  useEffect(followSpent, []);
  return (
    <section class="totals" aria-label={t("Totals over all sessions")} data-testid="totals">
      {SHOWN.map((status) => (
        <StatusTotal key={status} status={status} count={all && (all.status[status] ?? 0)} />
      ))}
      <Total name="sessions" words={t("sessions")}>
        {all ? exact(all.sessions) : NOTHING}
      </Total>
      <TokensToday />
      <CostToday />
      <BudgetBar scope="day" budget={budgets.value?.day} />
      <BudgetBar scope="month" budget={budgets.value?.month} />
    </section>
  );
}

function StatusTotal({ status, count }: { status: Status; count: number | null }) {
  const { status: wanted } = filter.value;
  return (
    <button
      type="button"
      class="total"
      aria-pressed={wanted.length === 1 && wanted[0] === status}
      title={t("Show these sessions alone")}
      data-testid={`total-${status}`}
      data-status={status}
      data-quiet={!count}
      onClick={() => onlyStatus(status)}
    >
      <span class="total-value">{count === null ? NOTHING : exact(count)}</span>
      <span class="total-name">
        <span class="dot" aria-hidden="true" />
        {statusWord(status)}
      </span>
    </button>
  );
}

function TokensToday() {
  const spent = today.value;
  return (
    <Total name="tokens" words={t("tokens today")} title={spent ? tokensTitle(spent) : undefined}>
      {spent ? known(sum(spent), compact) : NOTHING}
    </Total>
  );
}

function CostToday() {
  const spent = today.value;
  const all = totals.value;
  const sessions = all && t("All sessions on the board: {cost}.", { cost: usd(all.cost_usd) });
  const title = spent && [costStateWords(spent.cost_state), sessions].filter(Boolean).join(" ");
  return (
    <Total name="cost" words={t("cost today")} title={title ?? undefined}>
      {spent ? known(spent.cost_usd, (value) => cost(value, spent.cost_state)) : NOTHING}
    </Total>
  );
}

const known = (value: number | null, words: (value: number) => string): ComponentChildren =>
  value === null ? <span class="unknown">{unknown()}</span> : words(value);

interface Props {
  name: string;
  words: string;
  title?: string;
  children: ComponentChildren;
}

function Total({ name, words, title, children }: Props) {
  return (
    <div class="total" data-testid={`total-${name}`} title={title}>
      <span class="total-value">{children}</span>
      <span class="total-name">{words}</span>
    </div>
  );
}
