/** Finds the entry that an address or an error names, however far back it is within bounds. */

import { useSignal, type ReadonlySignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../messages";
import { KEPT_MAX, type Entries } from "./entries";
import type { Wanted } from "./timeline";
import { placeOf, timelineRows, type TimelineRow } from "./timeline_rows";

/** The most that the tower gives at once. */
const PAGE = 1000;

interface Seek {
  found: ReadonlySignal<string | null>;
  words: ReadonlySignal<string>;
}

export function useSeek(
  entries: Entries,
  wanted: ReadonlySignal<Wanted>,
  ready: boolean,
  show: (row: TimelineRow) => void,
): Seek {
  const found = useSignal<string | null>(null);
  const words = useSignal("");
  const wish = wanted.value;
  const latest = useRef({ wish, show });
  latest.current = { wish, show };
  useEffect(() => {
    found.value = null;
    words.value = "";
    if (wish.seq === null || !ready) return;
    void (async () => {
      let isFarBack = false;
      const row = await rowOf(entries, wish.seq!, () => {
        isFarBack = true;
        words.value = t("Looking for the entry…");
      });
      // Meanwhile another one may be wanted.
      if (latest.current.wish !== wish) return;
      const why = (isFarBack && entries.failure.peek()) || t("This entry is not here: it is too old, or it was never told.");
      words.value = row ? "" : why;
      found.value = row?.key ?? null;
      if (row) latest.current.show(row);
    })();
  }, [wish, ready]);
  return { found, words };
}

async function rowOf(entries: Entries, seq: number, isLong: () => void): Promise<TimelineRow | null> {
  for (let pages = 0; pages * PAGE < KEPT_MAX; pages++) {
    const rows = timelineRows(entries.all.peek());
    const at = placeOf(rows, seq);
    if (at >= 0) return rows[at]!;
    if ((entries.all.peek()[0]?.seq ?? 0) <= seq) return null;
    isLong();
    if (!(await entries.load(PAGE))) return null;
  }
  return null;
}
