import type { ComponentChildren } from "preact";
import { FilterField, StatusChip } from "../filter_parts";
import { exact } from "../format";
import { Icon } from "../icons";
import { rowCount, totals } from "../live";
import { rich, t } from "../messages";
import type { Status } from "../protocol";
import { historyHref } from "../router";
import { STATUSES } from "../store/order";
import { markAllSeen } from "../unread";
import { more, showMore } from "../view";
import { setFilter, toggleStatus, toggleUnread } from "./filter_choices";
import { FACTS, type Fact, type Filter } from "./filter";
import { filter, layout, unreadCount } from "./layout";
import { ViewMenu } from "./view_menu";

export function FilterBar() {
  const { text, status } = filter.value;
  return (
    <>
      <div class="filter-bar" role="search">
        <FilterField
          words={t("Filter sessions")}
          placeholder={t("Title, project, branch")}
          testid="filter"
          text={text}
          typed={(text) => setFilter({ text })}
        />
        <div class="chips" role="group" aria-label={t("Status")}>
          {STATUSES.map((each) => (
            <Chip key={each} status={each} pressed={status.includes(each)} />
          ))}
          <UnreadChip />
        </div>
        <Shown />
        <ViewMenu />
      </div>
      <Narrowed />
    </>
  );
}

function Chip({ status, pressed }: { status: Status; pressed: boolean }) {
  // A status that nobody has may be absent from the totals.
  const count = totals.value && (totals.value.status[status] ?? 0);
  return (
    <StatusChip status={status} pressed={pressed} toggle={() => toggleStatus(status)}>
      <span class="chip-count">{count ?? ""}</span>
    </StatusChip>
  );
}

function UnreadChip() {
  return (
    <button
      type="button"
      class="chip"
      aria-pressed={filter.value.unread === true}
      title={t("Came to rest since you last looked (u)")}
      data-testid="chip-unread"
      onClick={toggleUnread}
    >
      <span class="unread-dot" aria-hidden="true" />
      {t("Unread")}
      <span class="chip-count">{unreadCount}</span>
    </button>
  );
}

/** A line of its own, only while there is something to say: what else narrows the list, and the way on. */
function Narrowed() {
  const wanted = filter.value;
  const text = wanted.text.trim();
  const facts = FACTS.filter((fact) => wanted[fact] !== undefined);
  if (!text && !wanted.unread && !wanted.archived && facts.length === 0) return null;
  return (
    <div class="narrowed" data-testid="narrowed">
      {facts.map((fact) => (
        <Removable key={fact} name={fact} words={factWords(fact, wanted[fact]!)} change={{ [fact]: undefined }} />
      ))}
      {wanted.archived && <Removable name="archived" words={t("archived too")} change={{ archived: false }} />}
      {wanted.unread && unreadCount.value > 0 && (
        <button type="button" class="ghost" data-testid="mark-all" onClick={markAllSeen}>
          {t("Mark all as read")}
        </button>
      )}
      {text && (
        <a class="search-all" href={historyHref(new URLSearchParams({ q: text }).toString())} data-testid="search-all">
          <Icon name="search" />
          <span class="clip">{rich("Search all text for “{text}”", { text: <bdi>{text}</bdi> })}</span>
        </a>
      )}
    </div>
  );
}

function Removable({ name, words, change }: { name: string; words: ComponentChildren; change: Partial<Filter> }) {
  return (
    <button
      type="button"
      class="removable"
      title={t("Take this filter away")}
      data-testid={`narrowed-${name}`}
      onClick={() => setFilter(change)}
    >
      <span class="clip">{words}</span>
      <Icon name="close" />
    </button>
  );
}

function factWords(fact: Fact, text: string): ComponentChildren {
  const value = <bdi>{text}</bdi>;
  return {
    project: rich("project {value}", { value }),
    host: rich("host {value}", { value }),
    agent: rich("agent {value}", { value }),
    user: rich("user {value}", { value }),
  }[fact];
}

/** Says how much of everything is in the list, so that a filter or a limit hides nothing silently. */
function Shown() {
  const all = Math.max(totals.value?.sessions ?? 0, rowCount.value);
  const words = t("{count} of {all}", { count: exact(layout.value.count), all: exact(all) });
  return (
    <span class="shown" data-testid="shown">
      {more.value ? (
        <button type="button" class="ghost" onClick={showMore} title={t("Load more sessions")}>
          {t("{words} · more", { words })}
        </button>
      ) : (
        words
      )}
    </span>
  );
}
