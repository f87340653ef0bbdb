import { Ago } from "../ago";
import { dateTime, dayMinute } from "../format";
import { row } from "../live";
import type { Summary } from "../protocol";
import { go, sessionHref } from "../router";
import { Cost, Joined, StatusWord, TokenCount } from "../values";
import type { Hit } from "./answers";
import { reportPath } from "./asked";

/** One that is on the board is shown as it is now. */
export function SessionRow({ listed, hit }: { listed: Summary; hit: Hit | undefined }) {
  const session = row(listed.id).value ?? listed;
  const title = session.title ?? session.project ?? session.id;
  const report = reportPath(session.id);
  return (
    <tr
      data-testid="history-row"
      data-session={session.id}
      data-status={session.status}
      onClick={(event) => {
        if (!(event.target as HTMLElement).closest("a")) go(sessionHref(session.id));
      }}
    >
      <th scope="row">
        <a class="title" href={sessionHref(session.id)} title={title}>
          {title}
        </a>
        <span class="place">
          <Joined parts={placeOf(session)} />
        </span>
        {hit && <Found hit={hit} />}
      </th>
      <td>
        <StatusWord status={session.status} />
      </td>
      <td class="number" data-column="tokens">
        <TokenCount tokens={session.tokens} />
      </td>
      <td class="number">
        <Cost usd={session.cost_usd} state={session.cost_state} />
      </td>
      <td class="number" data-column="started" title={dateTime(session.started_at)}>
        {dayMinute(session.started_at)}
      </td>
      <td class="number" data-column="updated">
        <Ago at={session.updated_at} />
      </td>
      <td data-column="report">
        {report && (
          <a
            class="ghost"
            href={report}
            download=""
            aria-label={`Report of ${title}`}
            title="Report, for printing"
          >
            Report
          </a>
        )}
      </td>
    </tr>
  );
}

function placeOf({ project, branch, model, agent, archived }: Summary) {
  return [project, branch, model, agent, archived && "archived"];
}

/** Parts of a text, never markup. */
function Found({ hit }: { hit: Hit }) {
  return (
    <span class="history-hit" data-testid="hit">
      {hit.map(([text, is_hit], at) => (is_hit ? <mark key={at}>{text}</mark> : text))}
    </span>
  );
}
