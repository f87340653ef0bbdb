/** Which table the costs were priced by. Asked for once: it changes with the release, not with the session. */

import { signal } from "@preact/signals";
import { get, todayUsagePath } from "../api";
import type { Prices } from "./source_words";

export const prices = signal<Prices | null>(null);
let asked = false;

export function askPrices(): void {
  if (asked) return;
  asked = true;
  void get<{ prices?: Prices }>(todayUsagePath()).then(({ body, status }) => {
    prices.value = body?.prices ?? null;
    asked = status === 200;
  });
}
