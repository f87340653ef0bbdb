/** Says whether the page shows the present. */

import { openSession } from "../hub";
import type { HoldSignal } from "./field";
import { markOf } from "./mark";

export function Freshness({ hold }: { hold: HoldSignal }) {
  const mark = markOf(hold.value);
  return (
    <span class="freshness" data-state={mark.state} data-testid="freshness" role="status">
      <span class="dot" aria-hidden="true" />
      {mark.words}
      {mark.reopen && (
        <button type="button" class="ghost" onClick={() => openSession(hold.peek()!.session)}>
          {mark.reopen}
        </button>
      )}
    </span>
  );
}
