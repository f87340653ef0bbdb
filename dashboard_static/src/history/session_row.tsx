import { Ago } from "../ago";
import { chosen, toggleChosen } from "../chosen";
import { dateTime, dayMinute, nameOf } from "../format";
import { row } from "../live";
import { t } from "../messages";
import type { Summary } from "../protocol";
import { go, sessionHref } from "../router";
import { Cost, Joined, StatusWord, TokenCount } from "../values";
import type { Hit } from "./answers";
import { isAskable, reportPath } from "./asked";

/** One that is on the board is shown as it is now. */
export function SessionRow({ listed, hit }: { listed: Summary; hit: Hit | undefined }) {
  const session = row(listed.id).value ?? listed;
  const title = nameOf(session);
  return (
    <tr
      data-testid="history-row"
      data-session={session.id}
      data-status={session.status}
      onClick={(event) => {
        if (!(event.target as HTMLElement).closest("a, button")) go(sessionHref(session.id));
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
        <Report href={reportPath(session.id)} title={title} />
      </td>
      <td data-column="pick">{isAskable(session.id) && <Pick id={session.id} title={title} />}</td>
    </tr>
  );
}

function Report({ href, title }: { href: string | null; title: string }) {
  if (!href) return null;
  return (
    <a
      class="ghost"
      href={href}
      download=""
      aria-label={t("Report of {title}", { title })}
      title={t("Report, for printing")}
    >
      {t("Report")}
    </a>
  );
}

/** The same as the key `x`. */
function Pick({ id, title }: { id: string; title: string }) {
  const picked = chosen.value.includes(id);
  return (
    <button
      type="button"
      class="ghost history-pick"
      aria-pressed={picked}
      aria-label={t("Compare {title}", { title })}
      title={picked ? t("Chosen to be compared") : t("Choose it to be compared")}
      data-testid="pick"
      onClick={() => toggleChosen(id, title)}
    >
      <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
        <path d={picked ? "M2.5 2.5h11v11h-11zM5 8.2 7.2 10.4 11 6" : "M2.5 2.5h11v11h-11z"} />
      </svg>
    </button>
  );
}

function placeOf({ project, branch, model, agent, archived }: Summary) {
  return [project, branch, model, agent, archived && t("archived")];
}

/** Parts of a text, never markup. */
function Found({ hit }: { hit: Hit }) {
  return (
    <span class="history-hit" data-testid="hit">
      {hit.map(([text, is_hit], at) => (is_hit ? <mark key={at}>{text}</mark> : text))}
    </span>
  );
}
