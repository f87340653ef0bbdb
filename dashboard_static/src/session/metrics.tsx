import type { ReadonlySignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { exact, usd } from "../format";
import type { Summary } from "../protocol";
import { Cost, Count } from "../values";
import { useField, type HoldSignal } from "./field";
import { askPrices, prices } from "./prices";
import { costWords, unpricedModels } from "./source_words";

interface Props {
  summary: ReadonlySignal<Summary | undefined>;
  hold: HoldSignal;
}

export function Metrics({ summary, hold }: Props) {
  useEffect(askPrices, []);
  const session = summary.value;
  const state = session?.cost_state ?? "unknown";
  const why = costWords(state, unpricedModels(useField(hold, "models") ?? {}), prices.value);
  const tokens = session?.tokens;
  return (
    <section class="metrics" aria-label="Metrics">
      <Metric name="input" words="Input">
        <Count value={tokens?.input} />
      </Metric>
      <Metric name="output" words="Output">
        <Count value={tokens?.output} />
      </Metric>
      <Metric name="cache_read" words="Cache read">
        <Count value={tokens?.cache_read} />
      </Metric>
      <Metric name="cache_write" words="Cache write">
        <Count value={tokens?.cache_write} />
      </Metric>
      <Metric
        name="cost"
        words="Cost"
        note={session?.budget_usd != null ? `of ${usd(session.budget_usd)}` : costNote(session)}
      >
        <Cost usd={session?.cost_usd ?? null} state={state} why={why} />
        <span class="hidden">{why}</span>
      </Metric>
      <Metric name="messages" words="Messages">
        <Count value={session?.messages} />
      </Metric>
      <Metric
        name="tool_calls"
        words="Tool calls"
        note={errorNote(session?.tool_errors)}
        alarm={(session?.tool_errors ?? 0) > 0}
      >
        <Count value={session?.tool_calls} />
      </Metric>
      <Metric name="context" words="Context">
        <Count value={session?.context_tokens} />
      </Metric>
      <Metric name="subagents" words="Subagents" note={activeNote(session)}>
        {session?.subagents ? (
          <Count value={session.subagents.total} />
        ) : (
          <span title="None was seen.">–</span>
        )}
      </Metric>
    </section>
  );
}

function costNote(session: Summary | undefined): string {
  return session?.cost_state === "partial" ? "partial" : "";
}

function errorNote(errors: number | null | undefined): string {
  return errors ? `${exact(errors)} failed` : "";
}

function activeNote(session: Summary | undefined): string {
  return session?.subagents?.active ? `${session.subagents.active} active` : "";
}

interface MetricProps {
  name: string;
  words: string;
  note?: string;
  alarm?: boolean;
  children: ComponentChildren;
}

function Metric({ name, words, note, alarm, children }: MetricProps) {
  return (
    <div class="metric" data-testid={`metric-${name}`}>
      <span class="metric-name">{words}</span>
      <span class="metric-value">{children}</span>
      <span class="metric-note" data-alarm={alarm}>
        {note}
      </span>
    </div>
  );
}
