/** Tokens of the last half hour, a bar for each minute: one path, drawn only for rows in view. */

import { bars } from "../activity";
import { compact } from "../format";
import { t } from "../messages";
import type { Tokens } from "../protocol";
import { activityOf } from "./activity";

const HEIGHT = 16;
/** Less than this in the busiest minute is a low bar, not a high one. */
const LEAST = 1000;

/** `tokens` is only the reason to look again. */
export function Sparkline({ id, tokens }: { id: string; tokens: Tokens | null }) {
  const counts = tokens && activityOf(id);
  if (!counts) return null;
  const all = counts.reduce((a, b) => a + b, 0);
  if (all === 0) return null;
  const title = t("{count} tokens in the last 30 minutes, cache reads left out", { count: compact(all) });
  return (
    <svg class="sparkline" viewBox="0 0 60 16" role="img" aria-label={title} data-testid="sparkline">
      <title>{title}</title>
      <path d={bars(counts, HEIGHT, LEAST)} />
    </svg>
  );
}
