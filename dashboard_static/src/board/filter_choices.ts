/** How a filter is changed: by chips, totals, keys and the panel of the view alike. */

import type { Status } from "../protocol";
import { noFilter, type Filter } from "./filter";
import { filter } from "./layout";

export function setFilter(change: Partial<Filter>): void {
  const next = { ...filter.peek(), ...change };
  const isNothing = next.text === "" && next.status.length === 0;
  const others = Object.entries(next).some(([name, value]) => name !== "text" && name !== "status" && value);
  filter.value = isNothing && !others ? noFilter : next;
}

export function toggleStatus(status: Status): void {
  const { status: before } = filter.peek();
  setFilter({
    status: before.includes(status) ? before.filter((each) => each !== status) : [...before, status],
  });
}

/** That status alone, or all again. */
export function onlyStatus(status: Status): void {
  const { status: before } = filter.peek();
  setFilter({ status: before.length === 1 && before[0] === status ? [] : [status] });
}

export const toggleUnread = (): void => setFilter({ unread: !filter.peek().unread });
