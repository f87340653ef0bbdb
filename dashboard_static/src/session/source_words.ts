/** What the sources of a session's numbers say, in words. */

import { clockMinute, costStateWords, exact, sum, unknown, usd } from "../format";
import type { CostState, Detail, ModelUse, SourceUsage } from "../protocol";

export interface Prices {
  package: string;
  version: string;
}

const NAMES: Record<string, string> = {
  transcript: "Transcript",
  otlp: "OTLP",
  otlp_metrics: "OTLP metrics",
  native: "Native events",
  hooks: "Hooks",
};

export const nameOf = (source: string): string => NAMES[source] ?? source;

/** The state of the cost, which models have no price, and by which table the others were priced. */
export function costWords(state: CostState, unpriced: readonly string[], prices: Prices | null): string {
  const without = unpriced.length > 0 ? ` Without a price: ${unpriced.join(", ")}.` : "";
  const table = prices ? ` Prices: ${prices.package} ${prices.version}.` : "";
  return costStateWords(state) + without + table;
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
  if (whole === other) return "says the same";
  if (whole === 0) return `says ${exact(other)} more`;
  const percent = (100 * (other - whole)) / whole;
  const size = Math.abs(percent) < 0.1 ? "less than 0.1" : Math.abs(percent).toFixed(1);
  return `says ${size} % ${percent > 0 ? "more" : "less"}`;
}

const BEHIND: Record<string, string> = { transcript: "tokens", hooks: "status" };

export function silentWords(source: string, since: number): string {
  const what = BEHIND[source] ?? "what it tells";
  return `${nameOf(source)} silent since ${clockMinute(since)}: ${what} may be behind.`;
}

export function inheritedWords(inherited: NonNullable<Detail["inherited"]>): string {
  const cost = inherited.cost_usd ? ` (${usd(inherited.cost_usd)})` : "";
  return `${exact(sum(inherited.tokens))} tokens${cost} inherited from another session, not counted.`;
}
