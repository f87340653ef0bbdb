import { Ago } from "../ago";
import { compact } from "../format";
import { row } from "../live";
import type { Summary } from "../protocol";
import { go, sessionHref } from "../router";
import { Cost, Joined, Progress, StatusWord, TokenCount, Unknown } from "../values";

export const rowId = (id: string): string => `row-${id.replace(/[^\w-]/g, "_")}`;

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
      style={{ transform: `translateY(${top}px)` }}
      onClick={(event) => {
        if (!(event.target as HTMLElement).closest("a")) go(sessionHref(id));
      }}
    >
      <StatusCell session={session} />
      <TitleCell session={session} />
      <span role="gridcell" class="cell tool" data-column="tool" title={session.current_tool ?? undefined}>
        {session.current_tool ?? ""}
      </span>
      <span role="gridcell" class="cell" data-column="objectives">
        {session.objectives && session.objectives.total > 0 ? <Progress {...session.objectives} /> : ""}
      </span>
      <span role="gridcell" class="cell number" data-column="tokens" data-testid="cell-tokens">
        <TokenCount tokens={session.tokens} />
      </span>
      <span role="gridcell" class="cell number" data-column="cost" data-testid="cell-cost">
        <Cost usd={session.cost_usd} state={session.cost_state} />
      </span>
      <span role="gridcell" class="cell number" data-column="context">
        {session.context_tokens == null ? <Unknown /> : compact(session.context_tokens)}
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
      <StatusWord status={session.status} />
      <span class="since">
        <Ago at={session.status_since} />
      </span>
    </span>
  );
}

function TitleCell({ session }: { session: Summary }) {
  const title = session.title ?? session.project ?? session.id;
  return (
    <span role="gridcell" class="cell title-cell" data-column="session">
      <span class="title-line">
        <a class="title" href={sessionHref(session.id)} tabIndex={-1} title={title} data-testid="cell-title">
          {title}
        </a>
        {session.attention > 0 && (
          <span class="badge" title="Waiting for a person">
            {session.attention}
            <span class="hidden"> open</span>
          </span>
        )}
      </span>
      <span class="place">
        <Joined parts={[session.project, session.branch, session.model]} />
      </span>
    </span>
  );
}
