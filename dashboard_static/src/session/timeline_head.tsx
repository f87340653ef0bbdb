/** Above the timeline: what it is narrowed by, and whether it follows what is new. */

import type { Signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { exact } from "../format";
import { Icon } from "../icons";
import { plural, t } from "../messages";
import { GROUPS, groupWords, type Group } from "./timeline_kinds";
import type { TimelineRow } from "./timeline_rows";
import type { Scroll } from "./timeline_scroll";

interface Props {
  counts: Record<Group, number>;
  groups: Signal<ReadonlySet<Group>>;
  scroll: Scroll;
  rows: readonly TimelineRow[];
  partial: boolean;
  words: string;
}

export function TimelineHead({ counts, groups, scroll, rows, partial, words }: Props) {
  return (
    <header class="panel-head timeline-head">
      <h2>{t("Timeline")}</h2>
      <span class="chips" role="group" aria-label={t("Kinds of entries")}>
        {GROUPS.map((group) => (
          <Chip key={group} group={group} count={counts[group]} groups={groups} />
        ))}
      </span>
      <span class="panel-aside">
        {partial && (
          <span class="uncertain" title={t("Older entries could not be read.")}>
            {t("incomplete")}
          </span>
        )}
        <Follow scroll={scroll} rows={rows} />
      </span>
      {words && (
        <p class="timeline-words" role="status" data-testid="seek-words">
          {words}
        </p>
      )}
    </header>
  );
}

interface ChipProps {
  group: Group;
  count: number;
  groups: Signal<ReadonlySet<Group>>;
}

/** A kind that was never seen has no chip; one that was chosen keeps its own. */
function Chip({ group, count, groups }: ChipProps) {
  const pressed = groups.value.has(group);
  if (count === 0 && !pressed) return null;
  const toggle = () => {
    const next = new Set(groups.peek());
    if (!next.delete(group)) next.add(group);
    groups.value = next;
  };
  return (
    <button type="button" class="chip" aria-pressed={pressed} data-testid={`kind-${group}`} onClick={toggle}>
      {groupWords(group)}
      <span class="chip-count">{exact(count)}</span>
    </button>
  );
}

function Follow({ scroll, rows }: { scroll: Scroll; rows: readonly TimelineRow[] }) {
  const following = scroll.following.value;
  const seen = useRef(0);
  if (following) seen.current = rows.at(-1)?.start.seq ?? 0;
  const news = following ? 0 : rows.length - 1 - rows.findLastIndex(({ start }) => start.seq <= seen.current);
  const words = following
    ? t("Following")
    : news > 0
      ? plural(news, "{count} new", "{count} new", { count: exact(news) })
      : t("Paused");
  return (
    <button
      type="button"
      class="ghost follow"
      aria-pressed={following}
      aria-keyshortcuts="f"
      onClick={() => (following ? (scroll.following.value = false) : scroll.follow())}
    >
      {words}
      <Icon name="down" />
    </button>
  );
}
