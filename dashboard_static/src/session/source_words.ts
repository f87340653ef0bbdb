/** What the sources of a session's numbers say, in words. */

import { clockMinute, costStateWords, exact, sum, unknown, unturned, usd } from "../format";
import { later, t } from "../messages";
import { own } from "../own";
import type { CostState, Detail, ModelUse, Prices, SourceUsage } from "../protocol";

const NAMES: Record<string, string> = {
  transcript: later("Transcript"),
  otlp: later("OTLP"),
  otlp_metrics: later("OTLP metrics"),
  native: later("Native events"),
  hooks: later("Hooks"),
};

export const sourceWord = (source: string): string => t(own(NAMES, source) ?? source);

/** The state of the cost, which models have no price, and by which table the others were priced. */
export function costWords(state: CostState, unpriced: readonly string[], prices: Prices | null): string {
  const sentences = [costStateWords(state)];
  if (unpriced.length > 0) sentences.push(t("Without a price: {models}.", { models: unturned(unpriced.join(", ")) }));
  if (prices) sentences.push(t("Prices: {table} {version}.", { table: prices.package, version: prices.version }));
  return sentences.join(" ");
}

export function unpricedModels(models: Record<string, ModelUse>): string[] {
  const missing = ([, use]: [string, ModelUse]) => (use.unpriced == null ? use.cost_usd == null : use.unpriced > 0);
  return Object.entries(models)
    .filter(missing)
    .map(([name]) => name)
    .sort();
}

/** How far a source is from the one that counts, by all its tokens. */
export function differenceWords(counted: SourceUsage, told: SourceUsage): string {
  const [whole, other] = [sum(counted.tokens), sum(told.tokens)];
  if (whole === null || other === null) return unknown();
  if (whole === other) return t("says the same");
  if (whole === 0) return t("says {count} more", { count: exact(other) });
  const percent = (100 * (other - whole)) / whole;
  const size = Math.abs(percent).toFixed(1);
  if (Math.abs(percent) < 0.1) return percent > 0 ? t("says less than 0.1 % more") : t("says less than 0.1 % less");
  return percent > 0 ? t("says {size} % more", { size }) : t("says {size} % less", { size });
}

export function silentWords(source: string, since: number): string {
  const values = { source: sourceWord(source), time: clockMinute(since) };
  if (source === "transcript") return t("{source} silent since {time}: tokens may be behind.", values);
  if (source === "hooks") return t("{source} silent since {time}: status may be behind.", values);
  return t("{source} silent since {time}: what it tells may be behind.", values);
}

export function inheritedWords({ tokens, cost_usd }: NonNullable<Detail["inherited"]>): string {
  const count = exact(sum(tokens));
  return cost_usd
    ? t("{count} tokens ({cost}) inherited from another session, not counted.", { count, cost: usd(cost_usd) })
    : t("{count} tokens inherited from another session, not counted.", { count });
}
