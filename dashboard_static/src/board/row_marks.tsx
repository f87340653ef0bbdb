/** What a person can do to a row: keep it on top, pick it for comparison, mark it as read. */

import { CHOSEN_MAX, chosen, toggleChosen } from "../chosen";
import { Icon } from "../icons";
import { t } from "../messages";
import { pins, togglePin } from "../pins";
import type { Summary } from "../protocol";
import { markSeen, unreadNow } from "../unread";

/** Over the end of the title, where they move nothing; the keys `p` and `x` do the same. */
export function RowMarks({ id }: { id: string }) {
  const isPinned = pins.value.includes(id);
  const isChosen = chosen.value.includes(id);
  return (
    <span class="marks">
      <button
        type="button"
        class="mark"
        tabIndex={-1}
        aria-pressed={isChosen}
        aria-label={t("Compare")}
        title={t("Pick for comparison, at most {count} (x)", { count: CHOSEN_MAX })}
        data-testid="row-compare"
        onClick={() => toggleChosen(id)}
      >
        <Icon name="compare" />
      </button>
      <button
        type="button"
        class="mark"
        tabIndex={-1}
        aria-pressed={isPinned}
        aria-label={t("Pin")}
        title={isPinned ? t("Let it go from the top (p)") : t("Keep on top (p)")}
        data-testid="row-pin"
        onClick={() => togglePin(id)}
      >
        <Icon name="pin" />
      </button>
    </span>
  );
}

/** In the margin. Nothing is there of what was seen. */
export function UnreadMark({ session }: { session: Summary }) {
  if (!unreadNow()(session)) return null;
  return (
    <button
      type="button"
      class="unread"
      tabIndex={-1}
      title={t("Came to rest since you last looked. Click to mark it as read.")}
      data-testid="unread"
      onClick={() => markSeen(session.id, session.status_since)}
    >
      <span class="unread-dot" aria-hidden="true" />
      <span class="hidden">{t("Unread")}</span>
    </button>
  );
}
