/** What is not as it should be, in words. Pure. */

import { duration, exact } from "../format";
import { plural, t } from "../messages";
import type { About } from "./answers";
import { quantile } from "./quantile";
import { behindSince } from "./window";

const BEHIND_MS = 10_000;
const LATE_S = 0.1;
/** Answers: of a few seconds one moment would be much. */
const ENOUGH = 10;

export function troubles(held: readonly About[]): string[] {
  const after = held.at(-1);
  if (!after) return [];
  const before = held[0]!;
  const told: string[] = [];
  const { lag_entries } = after.bus;
  const behind = after.now - (behindSince(held) ?? after.now);
  if (lag_entries === null) told.push(t("The log is away: nothing new arrives."));
  else if (behind >= BEHIND_MS) {
    told.push(
      t("It has been behind the log for {time}: {count} entries are not read yet.", {
        time: duration(behind),
        count: exact(lag_entries),
      }),
    );
  }
  const gaps = after.bus.gaps - before.bus.gaps;
  if (gaps > 0)
    told.push(
      plural(
        gaps,
        "Entries were lost in the last minute.",
        "Entries were lost {count} times in the last minute.",
      ),
    );
  const poison = after.bus.poison - before.bus.poison;
  if (poison > 0)
    told.push(
      plural(
        poison,
        "1 entry could not be read in the last minute.",
        "{count} entries could not be read in the last minute.",
      ),
    );
  if (held.length >= ENOUGH && (quantile(before.loop_lag, after.loop_lag, 0.99) ?? 0) > LATE_S)
    told.push(t("Its event loop is late: it has too much to do."));
  const slow = after.clients.behind ?? 0;
  if (slow > 0)
    told.push(
      plural(
        slow,
        "1 browser is too slow for what is sent to it.",
        "{count} browsers are too slow for what is sent to them.",
      ),
    );
  return told;
}
