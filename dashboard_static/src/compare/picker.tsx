/** Finds sessions, on the board and in history alike, and adds them. */

import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Ago } from "../ago";
import { matcher, noFilter } from "../board/filter";
import { names } from "../chosen";
import { nameOf } from "../format";
import { FilterField } from "../filter_parts";
import { isAskable } from "../history/asked";
import type { Page } from "../history/answers";
import { Question } from "../question";
import { holds, model, row } from "../live";
import { plural, t } from "../messages";
import { pins } from "../pins";
import type { Summary } from "../protocol";
import { Cost, Joined, StatusWord, TokenCount } from "../values";

interface Props {
  ids: readonly string[];
  add: (id: string) => void;
  remove: (id: string) => void;
}

const LIMIT = 20;
const TYPING_MS = 250;

export function Picker({ ids, add, remove }: Props) {
  const typed = useSignal("");
  const found = useSignal<Summary[] | null>(null);
  const failed = useSignal("");
  useSearch(typed, found, failed);
  const sought = typed.value.trim();
  const lists =
    sought === "" ? quietLists(found.value) : [[t("Found"), merged(sought, found.value)] as const];
  return (
    <section class="panel compare-picker" aria-label={t("Choose sessions")} data-testid="picker">
      <header class="compare-picker-head">
        <FilterField
          words={t("Search sessions")}
          placeholder={t("Titles, prompts, messages, paths")}
          testid="pick-search"
          text={typed}
          typed={(text) => (typed.value = text)}
        />
        <p class="muted">{wanting(ids.length)}</p>
      </header>
      {failed.value && (
        <p class="history-failure" role="alert">
          {failed.value}
        </p>
      )}
      {lists.map(([words, sessions]) =>
        sessions.length > 0 ? (
          <List key={words} words={words} sessions={sessions} ids={ids} add={add} remove={remove} />
        ) : null,
      )}
      {found.value !== null && lists.every(([, sessions]) => sessions.length === 0) && (
        <p class="empty small">{t("No session was found.")}</p>
      )}
    </section>
  );
}

function wanting(count: number): string {
  if (count === 0) return t("Choose two to four sessions.");
  return count === 1
    ? t("Choose one more at least.")
    : plural(4 - count, "One more has room.", "{count} more have room.");
}

function useSearch(typed: Signal<string>, found: Signal<Summary[] | null>, failed: Signal<string>): void {
  const q = typed.value.trim();
  useEffect(() => {
    const question = new Question();
    const timer = setTimeout(
      async () => {
        const wanted = new URLSearchParams({ ...(q && { q }), limit: String(LIMIT) });
        const answers = await question.ask([`api/sessions?${wanted}`]);
        if (!answers) return;
        failed.value = answers[0]!.words;
        found.value = (answers[0]!.body as Page | null)?.sessions ?? [];
      },
      q ? TYPING_MS : 0,
    );
    return () => {
      clearTimeout(timer);
      question.stop();
    };
  }, [q]);
}

function quietLists(recent: Summary[] | null): (readonly [string, Summary[]])[] {
  const opened = holds.value.flatMap(({ session, detail }) => {
    const told = row(session).value ?? (detail as Summary | null);
    return told ? [told] : [];
  });
  const pinned = pins.value.flatMap((id) => {
    const told = row(id).value;
    return told && !opened.some((each) => each.id === id) ? [told] : [];
  });
  const here = new Set([...opened, ...pinned].map(({ id }) => id));
  return [
    [t("Opened"), opened],
    [t("Pinned"), pinned],
    [t("Recent"), (recent ?? []).filter(({ id }) => !here.has(id))],
  ];
}

/** History is told of what was recorded; of what happens now the board knows more. */
function merged(q: string, found: Summary[] | null): Summary[] {
  const matches = matcher({ ...noFilter, text: q });
  const live = [...model.overview.rows.values()].filter(matches).slice(0, LIMIT);
  const here = new Set(live.map(({ id }) => id));
  return [...live, ...(found ?? []).filter(({ id }) => !here.has(id))];
}

interface ListProps extends Props {
  words: string;
  sessions: readonly Summary[];
}

function List({ words, sessions, ids, add, remove }: ListProps) {
  return (
    <>
      <h2>{words}</h2>
      <ul class="compare-found" data-testid="found">
        {sessions.map((told) => (
          <Line key={told.id} told={told} chosen={ids.includes(told.id)} add={add} remove={remove} />
        ))}
      </ul>
    </>
  );
}

interface LineProps extends Omit<Props, "ids"> {
  told: Summary;
  chosen: boolean;
}

function Line({ told, chosen, add, remove }: LineProps) {
  const session = row(told.id).value ?? told;
  const name = nameOf(session);
  const pick = () => {
    names.set(session.id, name);
    (chosen ? remove : add)(session.id);
  };
  return (
    <li data-testid="pick" data-session={session.id}>
      <span class="compare-found-name">
        <span class="title clip">{name}</span>
        <span class="place clip">
          <Joined parts={[session.project, session.branch, session.model]} />
        </span>
      </span>
      <StatusWord status={session.status} />
      <span class="number" data-figure="tokens">
        <TokenCount tokens={session.tokens} />
      </span>
      <span class="number" data-figure="cost">
        <Cost usd={session.cost_usd} state={session.cost_state} />
      </span>
      <span class="number muted" data-figure="updated">
        <Ago at={session.updated_at} />
      </span>
      {isAskable(session.id) ? (
        <button
          type="button"
          class="chip"
          aria-label={chosen ? t("Remove {name}", { name }) : t("Add {name}", { name })}
          onClick={pick}
        >
          {chosen ? t("Remove") : t("Add")}
        </button>
      ) : (
        <span class="muted">{t("a comma in its name")}</span>
      )}
    </li>
  );
}
