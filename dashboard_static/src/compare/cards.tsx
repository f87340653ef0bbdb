/** Who is compared, in the order of the columns; the first is what the others are measured by. */

import { Ago } from "../ago";
import { names } from "../chosen";
import { nameOf } from "../format";
import { Icon } from "../icons";
import { row } from "../live";
import { t } from "../messages";
import { sessionHref } from "../router";
import { StatusWord } from "../values";
import { LETTERS, type Compared } from "./answer";

interface Props {
  ids: readonly string[];
  sessions: readonly Compared[];
  failed: string;
  show: (ids: readonly string[]) => void;
}

export function Cards({ ids, sessions, failed, show }: Props) {
  return (
    <ol class="compare-cards" data-testid="cards">
      {ids.map((id, at) => (
        <Card
          key={id}
          id={id}
          at={at}
          told={sessions.find((each) => each.id === id)}
          unknown={isNamed(id, failed)}
          ids={ids}
          show={show}
        />
      ))}
    </ol>
  );
}

/** The API's words for a session that it does not know name it. */
export const isNamed = (id: string, words: string): boolean => words.includes(`'${id}'`);

interface CardProps extends Pick<Props, "ids" | "show"> {
  id: string;
  at: number;
  told: Compared | undefined;
  unknown: boolean;
}

function Card({ id, at, told, unknown, ids, show }: CardProps) {
  const session = row(id).value ?? told;
  const name = session ? nameOf(session) : (names.get(id) ?? id);
  const others = ids.filter((each) => each !== id);
  return (
    <li class="panel compare-card" data-testid="card" data-session={id}>
      <Letter at={at} />
      <a class="title clip" href={sessionHref(id)} title={name}>
        {name}
      </a>
      <button
        type="button"
        class="ghost compare-remove"
        aria-label={t("Take {name} away", { name })}
        title={t("Take it away")}
        data-testid="remove"
        onClick={() => show(others)}
      >
        <Icon name="close" />
      </button>
      <p class="compare-state">
        {unknown && <span data-alarm="true">{t("not known here")}</span>}
        {session && (
          <>
            <StatusWord status={session.status} />
            <Ago at={session.status_since} />
          </>
        )}
        {at > 0 ? (
          <button type="button" class="ghost" data-testid="first" onClick={() => show([id, ...others])}>
            {t("Make first")}
          </button>
        ) : (
          ids.length > 1 && <span class="muted">{t("the others are measured by it")}</span>
        )}
      </p>
    </li>
  );
}

export function Letter({ at }: { at: number }) {
  return (
    <span class="letter" data-curve={LETTERS[at]}>
      {LETTERS[at]}
    </span>
  );
}
