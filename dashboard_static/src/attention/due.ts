/** Which alerts are due. Pure: what was told and since when is listened is given. */

import type { Item, Status } from "../protocol";

/** An id may be opened once more, as a session's failure is: that is another alert. */
export const keyOf = (item: Item): string => `${item.id}@${item.opened_at}`;

export function due(open: readonly Item[], since: number, told: ReadonlySet<string>): Item[] {
  return open.filter((item) => item.opened_at > since && !told.has(keyOf(item)));
}

const BUSY: readonly Status[] = ["running", "waiting"];
const DONE: readonly Status[] = ["idle", "failed", "ended"];

/** Which sessions have finished since the last round. What is not known for a while ends nothing. */
export class Busy {
  private busy = new Set<string>();

  round(ids: readonly string[], statusOf: (id: string) => Status | undefined): string[] {
    const done = ids.filter((id) => this.busy.has(id) && DONE.includes(statusOf(id)!));
    this.busy = new Set(
      ids.filter((id) => !done.includes(id) && (this.busy.has(id) || BUSY.includes(statusOf(id)!))),
    );
    return done;
  }
}
