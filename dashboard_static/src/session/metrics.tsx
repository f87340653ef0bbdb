import { useComputed, type ReadonlySignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { exact, usd } from "../format";
import { t } from "../messages";
import { askPrices, prices } from "../models";
import type { Summary } from "../protocol";
import { isFresh } from "../store/hold";
import { Cost, Count } from "../values";
import { Budget } from "./budget";
import { useField, type HoldSignal } from "./field";
import { Grown, useSamples, type Samples } from "./grown";
import { seriesWords } from "./series_words";
import { costWords, unpricedModels } from "./source_words";

const TOKENS = ["input", "output", "cache_read", "cache_write"] as const;

interface Props {
  summary: ReadonlySignal<Summary | undefined>;
  hold: HoldSignal;
}

export function Metrics({ summary, hold }: Props) {
  const fresh = useComputed(() => Boolean(hold.value && isFresh(hold.value)));
  const samples = useSamples(summary, fresh);
  const session = summary.value;
  const errors = session?.tool_errors;
  const active = session?.subagents?.active;
  const common = { samples };
  return (
    <section class="metrics" aria-label={t("Metrics")}>
      {TOKENS.map((name) => (
        <Metric key={name} {...common} name={name} words={seriesWords(name)}>
          <Count value={session?.tokens?.[name]} />
        </Metric>
      ))}
      <CostMetric {...common} session={session} hold={hold} />
      <Metric {...common} name="messages" words={t("Messages")}>
        <Count value={session?.messages} />
      </Metric>
      <Metric
        {...common}
        name="tool_calls"
        words={t("Tool calls")}
        note={errors ? t("{count} failed", { count: exact(errors) }) : ""}
        alarm={Boolean(errors)}
      >
        <Count value={session?.tool_calls} />
      </Metric>
      <Metric {...common} name="context" words={t("Context")}>
        <Count value={session?.context_tokens} />
      </Metric>
      <Metric
        {...common}
        name="subagents"
        words={t("Subagents")}
        note={active ? t("{count} active", { count: active }) : ""}
      >
        {session?.subagents ? (
          <Count value={session.subagents.total} />
        ) : (
          <span title={t("None was seen.")}>–</span>
        )}
      </Metric>
    </section>
  );
}

/** What the number rests on is told to whoever points at it or comes to it by keyboard. */
function CostMetric({ session, hold, samples }: { session?: Summary; hold: HoldSignal; samples: Samples }) {
  useEffect(askPrices, []);
  const state = session?.cost_state ?? "unknown";
  const why = costWords(state, unpricedModels(useField(hold, "models") ?? {}), prices.value);
  const limit = session?.budget_usd;
  const note = limit != null ? t("of {limit}", { limit: usd(limit) }) : state === "partial" ? t("partial") : "";
  return (
    <Metric samples={samples} name="cost" words={t("Cost")} note={note}>
      <span class="why" tabIndex={0} aria-describedby="cost-why">
        <Cost usd={session?.cost_usd ?? null} state={state} why="" />
      </span>
      <span id="cost-why" class="why-words" role="tooltip">
        {why}
      </span>
      {session && limit != null && <Budget session={session} limit={limit} />}
    </Metric>
  );
}

interface MetricProps {
  name: string;
  words: string;
  samples: Samples;
  note?: string;
  alarm?: boolean;
  children: ComponentChildren;
}

function Metric({ name, words, samples, note, alarm, children }: MetricProps) {
  return (
    <div class="metric" data-testid={`metric-${name}`}>
      <span class="metric-name">{words}</span>
      <Grown samples={samples} name={name} />
      <span class="metric-value">{children}</span>
      <span class="metric-note" data-alarm={alarm}>
        {note}
      </span>
    </div>
  );
}
