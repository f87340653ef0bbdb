/** On paper nothing scrolls: the rows stand one below the other, as many as paper bears. */

import { useSignal, type ReadonlySignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { exact } from "../format";
import { t } from "../messages";
import { outcomeOf, type TimelineRow } from "./timeline_rows";
import { Line } from "./timeline_row";

const PRINTED_MAX = 500;

export function usePrinting(): ReadonlySignal<boolean> {
  const printing = useSignal(false);
  useEffect(() => {
    const begin = () => void (printing.value = true);
    const end = () => void (printing.value = false);
    addEventListener("beforeprint", begin);
    addEventListener("afterprint", end);
    return () => {
      removeEventListener("beforeprint", begin);
      removeEventListener("afterprint", end);
    };
  }, []);
  return printing;
}

export function PrintedRows({ rows }: { rows: readonly TimelineRow[] }) {
  const shown = rows.slice(-PRINTED_MAX);
  return (
    <ol class="printed" data-testid="printed-rows">
      {shown.length < rows.length && (
        <li class="printed-note">{t("The latest {count} of {total} rows.", { count: exact(shown.length), total: exact(rows.length) })}</li>
      )}
      {shown.map((row) => (
        <li key={row.key} class="printed-row" data-kind={row.start.kind}>
          <Line row={row} outcome={outcomeOf(row, false)} />
        </li>
      ))}
    </ol>
  );
}
