/** How full a model's context is; where nobody knows how much it takes in, the number alone. */

import { contextMax } from "../models";
import { compact, exact } from "../format";
import { t } from "../messages";
import { Unknown } from "../values";

const HIGH = 80;
const FULL = 95;

export function ContextGauge({ tokens, model }: { tokens: number | null; model: string | null }) {
  if (tokens == null) return <Unknown />;
  const most = contextMax(model);
  if (!most) return <span title={t("{count} tokens of context", { count: exact(tokens) })}>{compact(tokens)}</span>;
  const percent = Math.round((100 * tokens) / most);
  const title = t("{count} of {most} tokens of context: {percent} %", {
    count: exact(tokens),
    most: exact(most),
    percent,
  });
  return (
    <span class="gauge" title={title} data-level={levelOf(percent)} data-testid="context">
      <svg class="gauge-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="progress-track" width="100" height="4" />
        <rect class="gauge-full" width={Math.min(100, percent)} height="4" />
      </svg>
      <span class="gauge-words">{percent}%</span>
    </span>
  );
}

export const levelOf = (percent: number): "low" | "high" | "full" =>
  percent >= FULL ? "full" : percent >= HIGH ? "high" : "low";
