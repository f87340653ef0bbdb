import type { ComponentChildren } from "preact";
import { exact, unknown, unturned } from "../format";
import { Icon } from "../icons";
import { t } from "../messages";
import { costWords } from "../session/source_words";
import { Cost, Count, TokenCount } from "../values";
import type { Spent, Usage } from "./answers";
import type { Asked } from "./asked";
import { DayPanel } from "./day_panel";
import { Failure } from "./failure";
import { Loading } from "./loading";
import { loadUsage, usage, usageBusy, usageFailed, type AllUsage } from "./usage";
import { SpentTable, ToolTable } from "./usage_tables";

/** What all sessions spent in these days. Folded up where it would stand before the list. */
export function UsagePanel({ asked, open }: { asked: Asked; open: boolean }) {
  const all = usage.value;
  return (
    <details class="panel history-usage" open={open} aria-busy={usageBusy.value}>
      <summary class="panel-head">
        <Icon name="chevron" />
        <h2>{t("Usage")}</h2>
        {usageBusy.value && <Loading />}
        <span class="panel-aside">{t("all sessions, days of UTC")}</span>
      </summary>
      {usageFailed.value && <Failure words={usageFailed.value} retry={() => void loadUsage(asked)} />}
      {all && <Sums all={all} />}
    </details>
  );
}

function Sums({ all }: { all: AllUsage }) {
  const { day, model, project, tool } = all;
  return (
    <div class="history-sums" data-stale={usageBusy.value || usageFailed.value !== ""}>
      {day.total.calls > 0 ? (
        <>
          <Totals usage={day} />
          <DayPanel usage={day} />
        </>
      ) : (
        <p class="empty small">{t("No model call was counted.")}</p>
      )}
      <SpentTable name="model" words={t("Model")} none={unknown()} usage={model} />
      <SpentTable name="project" words={t("Project")} none={t("no project")} usage={project} />
      <ToolTable usage={tool} />
      <SpentTable
        name="day"
        words={t("Day")}
        none={unknown()}
        usage={{ ...day, rows: day.rows.toReversed() }}
      />
    </div>
  );
}

function Totals({ usage: { total, unpriced_models, prices } }: { usage: Usage<Spent> }) {
  const why = costWords(total.cost_state, unpriced_models, prices);
  return (
    <>
      <dl class="history-totals">
        <Total name="tokens" words={t("Tokens")}>
          <TokenCount tokens={total} />
        </Total>
        <Total name="cost" words={t("Cost")}>
          <Cost usd={total.cost_usd} state={total.cost_state} why={why} />
        </Total>
        <Total name="calls" words={t("Calls")}>
          <Count value={total.calls} />
        </Total>
        <Total name="sessions" words={t("Sessions")}>
          <Count value={total.sessions} />
        </Total>
      </dl>
      {unpriced_models.length > 0 && (
        <p class="history-unpriced small" data-testid="unpriced">
          {t("{unpriced} of {calls} calls have no price: {models}.", {
            unpriced: exact(total.unpriced_calls),
            calls: exact(total.calls),
            models: unturned(unpriced_models.join(", ")),
          })}
        </p>
      )}
    </>
  );
}

function Total({ name, words, children }: { name: string; words: string; children: ComponentChildren }) {
  return (
    <div data-testid={`usage-${name}`}>
      <dt>{words}</dt>
      <dd>{children}</dd>
    </div>
  );
}
