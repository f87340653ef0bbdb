/** The small mark beside a figure that has changed in the last minute. */

import { useComputed, useSignal, useSignalEffect, type ReadonlySignal } from "@preact/signals";
import { now } from "../clock";
import { compact, usd } from "../format";
import { t } from "../messages";
import type { Summary } from "../protocol";
import { growth, sampled, type Figures, type Sample } from "./growth";

export type Samples = ReadonlySignal<readonly Sample[]>;

/** Only what is fresh is counted: what happened meanwhile did not happen in the last minute. */
export function useSamples(summary: ReadonlySignal<Summary | undefined>, fresh: ReadonlySignal<boolean>): Samples {
  const samples = useSignal<readonly Sample[]>([]);
  useSignalEffect(() => {
    const session = summary.value;
    samples.value = fresh.value && session ? sampled(samples.peek(), figuresOf(session), now.peek()) : [];
  });
  return samples;
}

function figuresOf(session: Summary): Figures {
  return {
    ...session.tokens,
    cost: session.cost_usd,
    messages: session.messages,
    tool_calls: session.tool_calls,
    context: session.context_tokens,
    subagents: session.subagents?.total ?? null,
  };
}

/** A text node of its own: the card around it is not drawn again when a second has passed. */
export function Grown({ samples, name }: { samples: Samples; name: string }) {
  const words = useComputed(() => {
    const change = growth(samples.value, name, now.value);
    if (change === 0) return "";
    const size = name === "cost" ? usd(Math.abs(change)) : compact(Math.abs(change));
    return change > 0 ? `+${size}` : `−${size}`;
  });
  return (
    <span class="metric-grown" title={t("in the last minute, as seen here")}>
      {words}
    </span>
  );
}
