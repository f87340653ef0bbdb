/**
 * The figures that are compared, and what may be said of one beside the others. Pure. Nothing is
 * claimed of what is not known: then no figure is the lowest, and no difference is told.
 */

import { compact, duration, exact, sum, usd } from "../format";
import { later, t } from "../messages";
import type { Compared } from "./answer";

export interface Figure {
  value: number | null;
  /** Some calls have no price: it is at least so much. */
  least?: boolean;
  /** Said in place of "unknown". */
  words?: string;
}

export type Best = "lowest" | "highest";

export interface Row {
  name: string;
  words: string;
  of(session: Compared): Figure;
  show(value: number): string;
  /** What is worth a mark; none where neither is better. */
  best?: Best;
}

const MINUTE = 60_000;

/** From the first to the last that was heard, pauses included. */
export function elapsed({ started_at, updated_at }: Compared): number | null {
  return started_at == null || updated_at == null ? null : Math.max(0, updated_at - started_at);
}

function cost({ cost_usd, cost_state }: Compared): Figure {
  if (cost_state === "unpriced") return { value: null, words: t("unpriced") };
  return { value: cost_state === "unknown" ? null : cost_usd, least: cost_state === "partial" };
}

function done({ objectives }: Compared): Figure {
  return objectives?.total ? { value: objectives.done } : { value: null, words: t("none set") };
}

function costByObjective(session: Compared): Figure {
  const { value: count, words } = done(session);
  if (!count) return { value: null, words: words ?? t("none done") };
  const { value, ...others } = cost(session);
  return { ...others, value: value === null ? null : value / count };
}

function tokensByMinute(session: Compared): Figure {
  const [tokens, took] = [sum(session.tokens), elapsed(session)];
  return { value: tokens === null || !took ? null : (tokens * MINUTE) / took };
}

const plain = (of: (session: Compared) => number | null | undefined) => (session: Compared) => ({
  value: of(session) ?? null,
});

export const ROWS: readonly Row[] = [
  { name: "elapsed", words: later("Elapsed"), of: plain(elapsed), show: duration, best: "lowest" },
  { name: "cost", words: later("Cost"), of: cost, show: usd, best: "lowest" },
  {
    name: "tokens",
    words: later("Tokens"),
    of: plain(({ tokens }) => sum(tokens)),
    show: compact,
    best: "lowest",
  },
  { name: "input", words: later("Input"), of: plain(({ tokens }) => tokens?.input), show: compact },
  { name: "output", words: later("Output"), of: plain(({ tokens }) => tokens?.output), show: compact },
  {
    name: "cache_read",
    words: later("Cache read"),
    of: plain(({ tokens }) => tokens?.cache_read),
    show: compact,
  },
  {
    name: "cache_write",
    words: later("Cache write"),
    of: plain(({ tokens }) => tokens?.cache_write),
    show: compact,
  },
  { name: "rate", words: later("Tokens per minute"), of: tokensByMinute, show: compact, best: "highest" },
  {
    name: "context",
    words: later("Context"),
    of: plain(({ context_tokens }) => context_tokens),
    show: compact,
  },
  {
    name: "messages",
    words: later("Messages"),
    of: plain(({ messages }) => messages),
    show: exact,
    best: "highest",
  },
  {
    name: "calls",
    words: later("Tool calls"),
    of: plain(({ tool_calls }) => tool_calls),
    show: exact,
    best: "highest",
  },
  {
    name: "failed",
    words: later("Failed calls"),
    of: plain(({ tool_errors }) => tool_errors),
    show: exact,
    best: "lowest",
  },
  { name: "errors", words: later("Errors"), of: plain(({ errors }) => errors), show: exact, best: "lowest" },
  { name: "done", words: later("Objectives done"), of: done, show: exact, best: "highest" },
  {
    name: "cost_by_objective",
    words: later("Cost per objective done"),
    of: costByObjective,
    show: usd,
    best: "lowest",
  },
];

/** Which of them is the best, if it can be told: a lower bound is never the lowest. */
export function marked(figures: readonly Figure[], best: Best | undefined): boolean[] {
  const values = figures.flatMap(({ value }) => (value === null ? [] : [value]));
  const told = best !== undefined && values.length === figures.length && new Set(values).size > 1;
  const edge = best === "lowest" ? Math.min(...values) : Math.max(...values);
  return figures.map(({ value, least }) => told && value === edge && !least);
}

const MANY_TIMES = 10;

/** How far a figure is from the first session's, or "" where that is not known. */
export function difference(first: Figure, other: Figure, show: Row["show"]): string {
  const [from, to] = [first.value, other.value];
  if (from === null || to === null || first.least || other.least) return "";
  if (from === to) return t("the same");
  if (from === 0) return t("{amount} more", { amount: show(to) });
  if (to / from >= MANY_TIMES) return t("{count} times as much", { count: exact(to / from) });
  const percent = Math.abs(to / from - 1) * 100;
  const rounded = percent < 1 ? "< 1" : percent > 99 && to > 0 && to < from ? "> 99" : exact(percent);
  return to > from
    ? t("{percent} % more", { percent: rounded })
    : t("{percent} % less", { percent: rounded });
}
