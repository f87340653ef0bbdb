/** The names above the columns. Those that the list can be sorted by are buttons. */

import { later, t } from "../messages";
import type { Sort } from "../protocol";
import { sort } from "./choices";

interface Column {
  name: string;
  words: string;
  sort?: Sort;
}

const COLUMNS: readonly Column[] = [
  { name: "status", words: later("Status"), sort: "default" },
  { name: "session", words: later("Session") },
  { name: "tool", words: later("Tool") },
  { name: "objectives", words: later("Objectives") },
  { name: "activity", words: later("Activity") },
  { name: "tokens", words: later("Tokens") },
  { name: "cost", words: later("Cost"), sort: "cost" },
  { name: "context", words: later("Context") },
  { name: "updated", words: later("Updated"), sort: "updated" },
];
export const COLUMN_COUNT = COLUMNS.length;

export function sortWords(by: Sort): string {
  return {
    default: t("who needs you, then status"),
    updated: t("latest update first"),
    started: t("latest start first"),
    cost: t("highest cost first"),
  }[by];
}

export function ColumnHeads() {
  return (
    <div class="grid-head" role="rowgroup">
      <div class="columns" role="row" aria-rowindex={1}>
        {COLUMNS.map((column) => (
          <ColumnHead key={column.name} {...column} />
        ))}
      </div>
    </div>
  );
}

function ColumnHead({ name, words, sort: by }: Column) {
  const isSorted = by !== undefined && sort.value === by;
  // Status is an order of urgency, neither up nor down.
  const order = !isSorted ? undefined : by === "default" ? "other" : "descending";
  return (
    <span role="columnheader" data-column={name} aria-sort={order}>
      {by ? (
        <button
          type="button"
          class="sort"
          tabIndex={-1}
          title={t("Sort: {order}", { order: sortWords(by) })}
          data-testid={`sort-${by}`}
          onClick={() => (sort.value = sort.peek() === by ? "default" : by)}
        >
          {t(words)}
        </button>
      ) : (
        t(words)
      )}
    </span>
  );
}
