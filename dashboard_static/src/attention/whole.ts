/** The whole request of an open item, asked of the hub when somebody wants to read it. */

import { useSignal, type ReadonlySignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { attentionPath, get } from "../api";
import type { Item } from "../protocol";

export interface Whole {
  request: unknown;
  /** Where the request was cut: its size. */
  full_bytes: number | null;
  /** The subagent that asks, if it is not the session's own agent. */
  agent_id: string | null;
}

interface Told {
  item: Item;
  whole: Whole | null;
  words: string;
}

const KEPT_MAX = 32;
const kept = new Map<string, Told>();

/** Null until it is here. What is open once more, or changed, is asked for anew. */
export function useWhole(item: Item): ReadonlySignal<Told | null> {
  const told = useSignal<Told | null>(kept.get(item.id) ?? null);
  useEffect(() => {
    if (!isAsked(item) || told.peek()?.item === item) return;
    const stop = new AbortController();
    void get<Whole>(attentionPath(item.id), {}, stop.signal).then(({ body, words }) => {
      // One that has closed meanwhile leaves what was read of it.
      if (stop.signal.aborted || (!body && told.peek()?.whole)) return;
      told.value = { item, whole: body, words };
      if (body) keep(told.value);
    });
    return () => stop.abort();
  }, [item]);
  return told;
}

/** A failure and a budget say all there is in their summary. */
export const isAsked = ({ kind }: Item): boolean => kind !== "failure" && kind !== "budget";

function keep(told: Told): void {
  kept.delete(told.item.id);
  kept.set(told.item.id, told);
  if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value!);
}
