/** A worker's figures as lines to read: of the last minute, and since it was started. Pure. */

import { bytes, exact } from "../format";
import { t } from "../messages";
import type { About, Counts, Distribution } from "./answers";
import { quantile } from "./quantile";

export interface Line {
  name: string;
  words: string;
  meaning: string;
  /** Of what came between two answers, the first of them null for all since the start. */
  between(before: About | null, after: About): string;
}

const QUANTILES = [0.5, 0.95, 0.99];

export function spread(before: Distribution | null, after: Distribution): string {
  const told = QUANTILES.map((q) => quantile(before, after, q));
  if (told[0] === null) return t("none");
  const longest = (after.buckets.at(-1)?.[0] ?? 0) * 1000;
  return told
    .map((seconds) => seconds! * 1000)
    .map((ms) =>
      ms === Infinity
        ? t("> {ms} ms", { ms: exact(longest) })
        : t("{ms} ms", { ms: ms < 10 ? ms.toFixed(1) : exact(ms) }),
    )
    .map((words) => words.replaceAll(" ", "\u00a0"))
    .join(" · ");
}

const delay = (name: string, words: string, meaning: string, of: (about: About) => Distribution): Line => ({
  name,
  words,
  meaning,
  between: (before, after) => spread(before && of(before), of(after)),
});

export const delays = (): Line[] => [
  delay(
    "attention",
    t("What needs you"),
    t("from arrival until queued for the browsers"),
    (a) => a.latency.attention!,
  ),
  delay("session", t("An opened session"), t("the same"), (a) => a.latency.session!),
  delay("overview", t("The board's rows"), t("the same; changes are gathered"), (a) => a.latency.overview!),
  delay("flush", t("One flush"), t("sending all that was due"), (a) => a.flush),
  delay(
    "loop_lag",
    t("Event loop late by"),
    t("much means that the worker has too much to do"),
    (a) => a.loop_lag,
  ),
];

/** How many, and in the last minute also how many a second. */
const counter = (
  name: string,
  words: string,
  meaning: string,
  of: (about: About) => number,
  show: (value: number) => string = exact,
): Line => ({
  name,
  words,
  meaning,
  between: (before, after) => {
    if (!before) return show(of(after));
    const [count, seconds] = [of(after) - of(before), (after.now - before.now) / 1000];
    if (!seconds) return t("not yet known");
    const each = count / seconds;
    const rate = show === exact ? each.toFixed(1) : show(Math.round(each));
    return count === 0 ? show(0) : t("{count}, {rate} a second", { count: show(count), rate });
  },
});

const frames = ({ frames }: About, own = ""): number =>
  Object.values(frames)
    .flatMap((each) => Object.entries(each))
    .reduce((sum, [sharing, count]) => (sharing.startsWith(own) ? sum + count : sum), 0);

const shared: Line["between"] = (before, after) => {
  const since = (own: string) => frames(after, own) - (before ? frames(before, own) : 0);
  const all = since("");
  return all > 0 ? `${exact((100 * (all - since("own"))) / all)} %` : t("none");
};

const reasons = (name: string, words: string, meaning: string, of: (about: About) => Counts): Line => ({
  name,
  words,
  meaning,
  between: (before, after) =>
    Object.entries(of(after))
      .map(([reason, count]) => [reason, count - ((before && of(before)[reason]) ?? 0)] as const)
      .filter(([, count]) => count > 0)
      .map(([reason, count]) => `${reason} ${exact(count)}`)
      .join(", ") || t("none"),
});

export const traffic = (): Line[] => [
  counter("frames", t("Frames sent"), t("messages to all browsers"), (a) => frames(a)),
  counter(
    "bytes",
    t("Bytes sent"),
    t("as they went out, compressed where agreed"),
    (a) => a.sent_bytes,
    bytes,
  ),
  { name: "shared", words: t("Written once for several"), meaning: t("part of the frames"), between: shared },
  counter(
    "conflated",
    t("Changes overtaken"),
    t("by newer values, sent in their place"),
    (a) => a.conflated_updates,
  ),
];

export const events = (): Line[] => [
  counter("gaps", t("Gaps in the log"), t("entries were lost before they were read"), (a) => a.bus.gaps),
  counter("epochs", t("The log began anew"), t("and the board with it"), (a) => a.bus.epoch_changes),
  counter("poison", t("Entries that could not be read"), t("they were passed over"), (a) => a.bus.poison),
  reasons("snapshots", t("Whole sessions sent"), t("and why"), (a) => a.snapshots),
  reasons("evictions", t("Sessions no longer followed"), t("for a browser, and why"), (a) => a.evictions),
  reasons("closes", t("Connections closed by the hub"), t("by close code"), (a) => a.closes),
];
