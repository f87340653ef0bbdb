/**
 * The entries of a timeline: those that the hub keeps current, and before them the older ones that
 * a person has asked for. There is never a hole between the two.
 */

import { useComputed, useSignal, type ReadonlySignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { get, timelinePath } from "../api";
import { t } from "../messages";
import type { Entry } from "../protocol";
import type { HoldSignal } from "./field";

/** A page that holds more is slow to no use: the report has all of them. */
export const KEPT_MAX = 10_000;

const NONE: readonly Entry[] = [];

/** What was kept goes on with what is held; where something between them is missing, it is let go. */
export function joined(kept: readonly Entry[], held: readonly Entry[]): readonly Entry[] {
  const first = held[0]?.seq;
  if (kept.length === 0 || first === undefined) return held;
  const before = kept.slice(0, placeFrom(kept, first));
  const hasHole = before.length === 0 || before.at(-1)!.seq < first - 1;
  return hasHole ? held : [...before, ...held].slice(-KEPT_MAX);
}

function placeFrom(entries: readonly Entry[], seq: number): number {
  let at = entries.length;
  while (at > 0 && entries[at - 1]!.seq >= seq) at--;
  return at;
}

export interface Entries {
  all: ReadonlySignal<readonly Entry[]>;
  hasOlder: ReadonlySignal<boolean>;
  loading: ReadonlySignal<boolean>;
  /** Why older ones did not come. */
  failure: ReadonlySignal<string>;
  /** Gives whether some came. */
  load: (limit: number) => Promise<boolean>;
}

export function useEntries(id: string, hold: HoldSignal): Entries {
  const kept = useRef<readonly Entry[]>(NONE);
  const loads = useSignal(0);
  /** The entry that the tower has nothing before, by its `seq`. */
  const oldest = useSignal(0);
  const loading = useSignal(false);
  const failure = useSignal("");
  const held = useComputed(() => hold.value?.detail?.timeline ?? NONE);
  const all = useComputed(() => {
    loads.value;
    const entries = joined(kept.current, held.value);
    if (kept.current.length > 0) kept.current = entries;
    return entries;
  });
  const hasOlder = useComputed(() => {
    const first = all.value[0]?.seq ?? 1;
    return first > 1 && first !== oldest.value && all.value.length < KEPT_MAX;
  });
  const load = async (limit: number) => {
    if (loading.peek() || !hasOlder.peek()) return false;
    // From here on what the hub lets go of is kept, lest a hole come up while it is asked.
    kept.current = all.peek();
    const first = all.peek()[0]!.seq;
    loading.value = true;
    const { body, words } = await get<{ timeline: Entry[]; next: number | null }>(timelinePath(id, first, limit));
    loading.value = false;
    failure.value = words;
    if (!body || all.peek()[0]?.seq !== first) return false;
    if (body.timeline.at(-1)?.seq !== first - 1) {
      // What is recorded is recorded a moment after it is shown.
      failure.value = t("Older entries are not recorded yet, or not kept any more.");
      return false;
    }
    kept.current = [...body.timeline, ...all.peek()].slice(-KEPT_MAX);
    loads.value++;
    if (body.next === null) oldest.value = all.peek()[0]!.seq;
    return true;
  };
  return { all, hasOlder, loading, failure, load };
}
