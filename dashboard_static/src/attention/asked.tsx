/**
 * What is asked, whole and readable, and where it is answered. Used by the inbox and by the
 * session's page. Nothing here answers: what an agent waits for is said in its own terminal.
 */

import { useComputed } from "@preact/signals";
import { bytes, usd } from "../format";
import { rich, t } from "../messages";
import type { Item } from "../protocol";
import { Edits, Texts } from "./lines";
import { named, whoOf } from "./names";
import { plain, readCut, readRequest, type Pair, type Question } from "./request";
import { isAsked, useWhole, type Whole } from "./whole";

export function Asked({ item }: { item: Item }) {
  const told = useWhole(item).value;
  return (
    <div class="asked" data-testid="asked" aria-busy={isAsked(item) && told === null}>
      {item.kind === "budget" ? (
        <p>{budgetWords(item.summary)}</p>
      ) : told?.whole?.request ? (
        <Parts whole={told.whole} summary={item.summary} />
      ) : (
        <Texts text={item.summary} />
      )}
      {told && !told.whole && <p class="asked-note">{t(told.words)}</p>}
      {told?.whole?.agent_id && (
        <p class="asked-note">{t("Asked by the subagent {id}.", { id: told.whole.agent_id })}</p>
      )}
      {!item.answerable && <Where item={item} />}
    </div>
  );
}

/** Calm, and never a button: whoever sits there knows the prompt. */
function Where({ item }: { item: Item }) {
  const session = useComputed(() => named(item.session).value).value;
  const who = whoOf(session);
  const place = { who: (
      <b>
        <bdi>{plain(who)}</bdi>
      </b>
    ) };
  if (item.kind === "budget")
    return <p class="asked-where">{t("Stays until the budget is raised or the session has ended.")}</p>;
  if (item.kind === "failure")
    return (
      <p class="asked-where">
        {who ? rich("Prompt it anew in the terminal of {who}.", place) : t("Prompt it anew in its terminal.")}
      </p>
    );
  return (
    <p class="asked-where">
      {who ? rich("Answer in the terminal of {who}.", place) : t("Answer in its terminal.")}
    </p>
  );
}

function Parts({ whole: { request, full_bytes }, summary }: { whole: Whole; summary: string }) {
  const cut = full_bytes ? (request as { cut?: unknown }).cut : undefined;
  const whole = typeof cut === "string" ? (readCut(cut) ?? cut) : request;
  const { description, command, file, edits, questions, plan, rest } = readRequest(whole);
  const isEmpty = rest.length === 0 && !questions && !edits && command === undefined && plan === undefined;
  return (
    <>
      {description && <p>{plain(description)}</p>}
      {command !== undefined && <Texts text={command} words={t("Command")} />}
      {(file || cut) && <p class="asked-file">{plain(file ?? summary)}</p>}
      {edits && <Edits edits={edits} />}
      {questions?.map((question, at) => <Asking key={at} question={question} />)}
      {plan !== undefined && <Texts text={plan} words={t("Plan")} />}
      <Pairs pairs={rest} />
      {isEmpty && <p class="asked-note">{t("Without any parameter.")}</p>}
      {full_bytes && (
        <p class="asked-note">
          {t("Only the beginning is kept: the whole has {size}.", { size: bytes(full_bytes) })}
        </p>
      )}
    </>
  );
}

function Asking({ question: { question, header, several, options, rest } }: { question: Question }) {
  return (
    <div class="asked-question">
      {header && <p class="asked-header">{plain(header)}</p>}
      <p class="asked-words">{plain(question)}</p>
      {options.length > 0 && (
        <ul class="asked-options" aria-label={several ? t("Several may be chosen") : t("One is to be chosen")}>
          {options.map(({ label, description, rest }, at) => (
            <li key={at}>
              <b>{plain(label)}</b>
              {description && <span class="asked-option">{plain(description)}</span>}
              <Pairs pairs={rest} />
            </li>
          ))}
        </ul>
      )}
      {several && <p class="asked-note">{t("Several may be chosen.")}</p>}
      <Pairs pairs={rest} />
    </div>
  );
}

function Pairs({ pairs }: { pairs: readonly Pair[] }) {
  if (pairs.length === 0) return null;
  return (
    <dl class="asked-pairs">
      {pairs.map(([name, value]) => (
        <div key={name}>
          {name && <dt>{plain(name)}</dt>}
          <dd>
            <Texts text={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

const BUDGET = /^(\d+) % of the (session|day|month)'s budget(?: \((.+)\))? is spent: ([\d.]+) of ([\d.]+) USD$/;

/** The hub says it in English; what it says is known well enough to be said in any language. */
function budgetWords(summary: string): string {
  const [, percent, scope, which = "", spent, limit] = BUDGET.exec(summary) ?? [];
  if (!percent) return summary;
  const values = { percent, which, spent: usd(Number(spent)), limit: usd(Number(limit)) };
  if (scope === "day") return t("{percent} % of the day's budget ({which}) is spent: {spent} of {limit}.", values);
  if (scope === "month")
    return t("{percent} % of the month's budget ({which}) is spent: {spent} of {limit}.", values);
  return t("{percent} % of the session's budget is spent: {spent} of {limit}.", values);
}
