/** What one minute of the chart comes to: as a legend, as a sentence and as cells of a table. */

import { clockMinute, compact, exact, sum, unknown, usd } from "../format";
import { t } from "../messages";
import type { Bucket } from "../protocol";
import { seriesWords } from "./series_words";

const NAMES = ["output", "input", "cache_write", "cache_read"] as const;

const costOf = (bucket: Bucket | undefined): string =>
  bucket?.cost_usd == null ? unknown() : usd(bucket.cost_usd);

/** Always there and always as high: what the pointer is on, else the latest minute. */
export function Legend({ bucket }: { bucket: Bucket | undefined }) {
  return (
    <figcaption class="legend" data-testid="legend">
      <span class="legend-time">{clockMinute(bucket?.at)}</span>
      {NAMES.map((name) => (
        <span key={name} class="legend-item" data-series={name}>
          <span class="legend-mark" aria-hidden="true" />
          {seriesWords(name)}
          <span class="legend-value">{compact(bucket?.[name])}</span>
        </span>
      ))}
      <span class="legend-item" data-sum="total">
        {t("Total")}
        <span class="legend-value">{compact(sum(bucket))}</span>
      </span>
      <span class="legend-item" data-sum="cost">
        {t("Cost")}
        <span class="legend-value">{costOf(bucket)}</span>
      </span>
    </figcaption>
  );
}

/** The same as one sentence, for those who hear it. */
export function minuteWords(bucket: Bucket | undefined): string {
  return t("{time}: output {output}, input {input}, cache write {cache_write}, cache read {cache_read}, cost {cost}", {
    time: clockMinute(bucket?.at),
    output: exact(bucket?.output),
    input: exact(bucket?.input),
    cache_write: exact(bucket?.cache_write),
    cache_read: exact(bucket?.cache_read),
    cost: costOf(bucket),
  });
}

export function MinuteCells({ bucket }: { bucket: Bucket }) {
  return (
    <>
      {NAMES.map((name) => (
        <td key={name} class="number">
          {exact(bucket[name])}
        </td>
      ))}
      <td class="number">{exact(sum(bucket))}</td>
      <td class="number">{costOf(bucket)}</td>
    </>
  );
}

export const minuteHeads = (): string[] => [...NAMES.map(seriesWords), t("Total"), t("Cost")];
