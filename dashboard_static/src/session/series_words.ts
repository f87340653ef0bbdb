/** What the four kinds of tokens are called, over a card and beside a chart. */

import { t } from "../messages";
import type { Tokens } from "../protocol";

export function seriesWords(name: keyof Tokens): string {
  return {
    output: t("Output"),
    input: t("Input"),
    cache_write: t("Cache write"),
    cache_read: t("Cache read"),
  }[name];
}
