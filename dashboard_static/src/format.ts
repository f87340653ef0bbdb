/** Values as people read them. What is not known is said so; it is never shown as 0. */

import { locale, t } from "./messages";
import { own } from "./own";
import type { CostState, ModelUse, Status, Summary, Tokens } from "./protocol";

export const unknown = (): string => t("unknown");

/** Makes nothing on its way: it is asked of thousands of rows a second. */
export function sum(tokens: Tokens | null | undefined): number | null {
  if (!tokens) return null;
  const { input, output, cache_read, cache_write } = tokens;
  const isKnown = input != null || output != null || cache_read != null || cache_write != null;
  return isKnown ? (input ?? 0) + (output ?? 0) + (cache_read ?? 0) + (cache_write ?? 0) : null;
}

/** 999, 1.2k, 12.3k, 123k, 1.23M: never more than five characters, so that columns stand still. */
export function compact(value: number | null | undefined): string {
  if (value == null) return unknown();
  if (value < 1000) return String(Math.round(value));
  if (value < 99_950) return `${(value / 1000).toFixed(1)}k`;
  if (value < 999_500) return `${Math.round(value / 1000)}k`;
  if (value < 9_995_000) return `${(value / 1e6).toFixed(2)}M`;
  if (value < 99_950_000) return `${(value / 1e6).toFixed(1)}M`;
  if (value < 999_500_000) return `${Math.round(value / 1e6)}M`;
  return `${(value / 1e9).toFixed(2)}B`;
}

/** Figures look the same in every language, so that two people can speak of them. */
const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });

export function exact(value: number | null | undefined): string {
  return value == null ? unknown() : whole.format(value);
}

export function usd(value: number | null | undefined): string {
  if (value == null) return unknown();
  if (value > 0 && value < 0.005) return "<$0.01";
  return dollars.format(value);
}

/** A partial sum is a lower bound; without any price there is no number to show. */
export function cost(value: number | null | undefined, state: CostState | null | undefined): string {
  if (state === "unpriced") return t("unpriced");
  if (state === "unknown" || value == null) return unknown();
  return state === "partial" ? `≥ ${usd(value)}` : usd(value);
}

/** Of one model: metrics tell no calls, so there only the cost says whether there is a price. */
export function costStateOf({ cost_usd, unpriced }: ModelUse): CostState {
  if (cost_usd == null) return "unpriced";
  return unpriced ? "partial" : "priced";
}

export function costStateWords(state: CostState): string {
  return {
    priced: t("Every call has a price."),
    partial: t("Some calls have no price: this is a lower bound."),
    unpriced: t("No call has a price."),
    unknown: t("No call was told, so the cost is not known."),
  }[state];
}

export function statusWord(status: Status): string {
  return {
    running: t("running"),
    waiting: t("waiting"),
    idle: t("idle"),
    failed: t("failed"),
    ended: t("ended"),
    stale: t("stale"),
  }[status];
}

/** What a session is called, in a list of sessions. */
export const nameOf = ({ title, project, id }: Pick<Summary, "title" | "project" | "id">): string =>
  title || project || id;

/** Agents have words of their own for it besides these. */
export function objectiveWord(status: string): string {
  return own({ pending: t("to do"), in_progress: t("in progress"), completed: t("done") }, status) ?? status;
}

export function tokensTitle(tokens: Tokens | null | undefined): string {
  if (!tokens) return t("tokens unknown: no transcript was read");
  return t("input {input} · output {output} · cache read {cache_read} · cache write {cache_write}", {
    input: exact(tokens.input),
    output: exact(tokens.output),
    cache_read: exact(tokens.cache_read),
    cache_write: exact(tokens.cache_write),
  });
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** One unit; short spans in steps of five seconds, so that a quiet board is quiet. */
export function span(ms: number | null): string {
  if (ms === null) return "";
  if (ms < 5 * SECOND) return t("now");
  if (ms < MINUTE) return t("{n}s", { n: Math.floor(ms / SECOND / 5) * 5 });
  if (ms < HOUR) return t("{n}m", { n: Math.floor(ms / MINUTE) });
  if (ms < DAY) return t("{n}h", { n: Math.floor(ms / HOUR) });
  return t("{n}d", { n: Math.floor(ms / DAY) });
}

/** Two units, for how long something took or has been going on. */
export function duration(ms: number | null | undefined): string {
  if (ms == null) return unknown();
  if (ms < SECOND) return t("{n} ms", { n: Math.max(0, Math.round(ms)) });
  if (ms < 10 * SECOND) return t("{n} s", { n: (ms / SECOND).toFixed(1) });
  if (ms < MINUTE) return t("{n} s", { n: Math.floor(ms / SECOND) });
  if (ms < HOUR) return t("{m}m {s}s", { m: Math.floor(ms / MINUTE), s: pad((ms % MINUTE) / SECOND) });
  if (ms < DAY) return t("{h}h {m}m", { h: Math.floor(ms / HOUR), m: pad((ms % HOUR) / MINUTE) });
  return t("{d}d {h}h", { d: Math.floor(ms / DAY), h: Math.floor((ms % DAY) / HOUR) });
}

function pad(value: number): string {
  return String(Math.floor(value)).padStart(2, "0");
}

type Style = Intl.DateTimeFormatOptions;

/** An agent may tell a time that no date can be. */
const isDate = (at: number): boolean => Math.abs(at) <= 8.64e15;

/** Made when first needed, and anew for another language. */
function dates(style: Style): (at: number) => string {
  let made: Intl.DateTimeFormat | null = null;
  let made_for: string | undefined;
  return (at) => {
    if (!isDate(at)) return unknown();
    const wanted = locale.peek();
    if (made === null || made_for !== wanted) made = new Intl.DateTimeFormat((made_for = wanted), style);
    return made.format(at);
  };
}

const MINUTES: Style = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const DAYS: Style = { day: "numeric", month: "short" };
const time = dates({ ...MINUTES, second: "2-digit" });
const minute = dates(MINUTES);
const minuteOfDay = dates({ ...DAYS, ...MINUTES });
const day = dates({ ...DAYS, timeZone: "UTC" });
const moment = dates({ dateStyle: "medium", timeStyle: "medium" });

export const clock = (at: number | null | undefined): string => (at == null ? "" : time(at));
export const clockMinute = (at: number | null | undefined): string => (at == null ? "" : minute(at));
export const dayMinute = (at: number | null | undefined): string => (at == null ? unknown() : minuteOfDay(at));
/** The day of UTC, as the API names it. */
export const isoDay = (at: number): string => new Date(at).toISOString().slice(0, 10);
/** For machines. */
export const isoTime = (at: number): string | undefined => (isDate(at) ? new Date(at).toISOString() : undefined);
export const utcDay = (at: number | null | undefined): string => (at == null ? "" : day(at));
export const dateTime = (at: number | null | undefined): string => (at == null ? unknown() : moment(at));

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  if (value < 1024 * 1024) return `${Math.round(value / 1024)} KiB`;
  return `${(value / 1024 / 1024).toFixed(1)} MiB`;
}

/** Marks by which a person would read another command than the one that is there: shown, not obeyed. */
export const unturned = (text: string): string =>
  text.replace(/[\u202a-\u202e\u2066-\u2069]/g, (mark) => `\\u${mark.charCodeAt(0).toString(16)}`);

/** Only http(s) may become a link: a session's text could name any scheme. */
export function safeHref(text: string | null | undefined): string | null {
  if (!text || !/^https?:\/\//i.test(text)) return null;
  try {
    return new URL(text).href;
  } catch {
    return null;
  }
}
