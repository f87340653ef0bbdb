/** The chart's own numbers, for whoever reads rather than looks. Drawn only where it is open. */

import { useSignal } from "@preact/signals";
import { dayMinute } from "../format";
import { t } from "../messages";
import type { Bucket } from "../protocol";
import { MinuteCells, minuteHeads } from "./chart_legend";

export function Minutes({ series }: { series: readonly Bucket[] }) {
  const open = useSignal(false);
  return (
    <details class="minutes" data-testid="minutes" onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>{t("As a table")}</summary>
      {open.value && (
        <div class="minutes-room" tabIndex={0} role="region" aria-label={t("Tokens per minute, newest first")}>
          <table class="table">
            <thead>
              <tr>
                <th scope="col">{t("Minute")}</th>
                {minuteHeads().map((words) => (
                  <th key={words} scope="col" class="number">
                    {words}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {series.toReversed().map((bucket) => (
                <tr key={bucket.at}>
                  <th scope="row">{dayMinute(bucket.at)}</th>
                  <MinuteCells bucket={bucket} />
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}
