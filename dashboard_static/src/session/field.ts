/** One field of an opened session. A panel that reads it is drawn again when that field changes. */

import { useComputed, type ReadonlySignal } from "@preact/signals";
import { holds } from "../live";
import type { Detail } from "../protocol";
import type { Hold } from "../store";

export type HoldSignal = ReadonlySignal<Hold | undefined>;

export function useHold(id: string): HoldSignal {
  return useComputed(() => holds.value.find((hold) => hold.session === id));
}

export function useField<K extends keyof Detail>(hold: HoldSignal, name: K): Detail[K] | undefined {
  return useComputed(() => hold.value?.detail?.[name]).value;
}
