import { Ago } from "../ago";
import { nameOf } from "../format";
import { row } from "../live";
import { plural, t } from "../messages";
import type { Summary } from "../protocol";
import { go, sessionHref } from "../router";
import { unreadNow } from "../unread";
import { Cost, Joined, Progress, StatusWord, TokenCount } from "../values";
import { ContextGauge } from "./context_gauge";
import { RowMarks, UnreadMark } from "./row_marks";
import { rowId } from "./row_id";
import { selected as selectedRow } from "./selected";
import { Sparkline } from "./sparkline";


interface Props {
  id: string;
  at: number;
  top: number;
  selected: boolean;
}

/** Reads its own signal alone: a row whose values did not change is not drawn again. */
export function SessionRow({ id, at, top, selected }: Props) {
  const session = row(id).value;
  if (!session) return null;
  return (
    <div
      id={rowId(id)}
      class="columns row"
      role="row"
      aria-rowindex={at + 2}
      aria-selected={selected}
      data-testid="session-row"
      data-session={id}
      data-status={session.status}
      data-unread={unreadNow()(session)}
      style={{ transform: `translateY(${top}px)` }}
      onClick={(event) => {
        const control = (event.target as HTMLElement).closest("a, button");
        if (control?.tagName !== "BUTTON") selectedRow.value = id;
        if (!control) go(sessionHref(id));
      }}
    >
      <StatusCell session={session} />
      <TitleCell session={session} />
      <span role="gridcell" class="cell tool" data-column="tool" title={session.current_tool ?? undefined}>
        {session.current_tool}
      </span>
      <span role="gridcell" class="cell" data-column="objectives">
        {session.objectives && session.objectives.total > 0 && <Progress {...session.objectives} />}
      </span>
      <span role="gridcell" class="cell" data-column="activity">
        <Sparkline id={id} tokens={session.tokens} />
      </span>
      <span role="gridcell" class="cell number" data-column="tokens" data-testid="cell-tokens">
        <TokenCount tokens={session.tokens} />
      </span>
      <span role="gridcell" class="cell number" data-column="cost" data-testid="cell-cost">
        <Cost usd={session.cost_usd} state={session.cost_state} />
      </span>
      <span role="gridcell" class="cell number" data-column="context">
        <ContextGauge tokens={session.context_tokens} model={session.model} />
      </span>
      <span role="gridcell" class="cell number faint" data-column="updated">
        <Ago at={session.updated_at} />
      </span>
    </div>
  );
}

function StatusCell({ session }: { session: Summary }) {
  return (
    <span role="gridcell" class="cell status-cell" data-column="status" data-testid="cell-status">
      <UnreadMark session={session} />
      <StatusWord status={session.status} />
      <span class="since">
        <Ago at={session.status_since} />
      </span>
    </span>
  );
}

function TitleCell({ session }: { session: Summary }) {
  const title = nameOf(session);
  return (
    <span role="gridcell" class="cell title-cell" data-column="session">
      <span class="title-line">
        <a class="title" href={sessionHref(session.id)} tabIndex={-1} title={title} data-testid="cell-title">
          {title}
        </a>
        {session.attention > 0 && (
          <span class="badge" title={t("Waiting for a person")}>
            <span aria-hidden="true">{session.attention}</span>
            <span class="hidden">{plural(session.attention, "1 open", "{count} open")}</span>
          </span>
        )}
      </span>
      <span class="place">
        <Joined parts={[session.project, session.branch, session.model]} />
      </span>
      <RowMarks id={session.id} />
    </span>
  );
}
