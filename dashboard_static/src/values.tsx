/** Values that are shown in more than one place, each always in the same way. */

import { Fragment } from "preact";
import { compact, cost, costStateWords, exact, statusWord, sum, tokensTitle, unknown } from "./format";
import { t } from "./messages";
import type { CostState, Status, Tokens } from "./protocol";

export function StatusWord({ status }: { status: Status }) {
  return (
    <span class="status" data-status={status}>
      <span class="dot" aria-hidden="true" />
      {statusWord(status)}
    </span>
  );
}

export function TokenCount({ tokens }: { tokens: Tokens | null | undefined }) {
  const total = sum(tokens);
  if (total === null) return <Unknown why={t("No transcript was read, so tokens are not known.")} />;
  return <span title={tokensTitle(tokens)}>{compact(total)}</span>;
}

export function Cost({ usd, state, why }: { usd: number | null; state: CostState; why?: string }) {
  const text = cost(usd, state);
  const words = why ?? costStateWords(state);
  if (text === unknown()) return <Unknown why={words} />;
  return (
    <span class={state === "priced" ? undefined : "uncertain"} title={words} data-state={state}>
      {text}
    </span>
  );
}

/** Texts in one line, none of which can turn the direction of the next. */
export function Joined({ parts }: { parts: readonly (string | false | null | undefined)[] }) {
  return parts.filter(Boolean).map((part, at) => (
    <Fragment key={at}>
      {at > 0 && " · "}
      <bdi>{part}</bdi>
    </Fragment>
  ));
}

export function Count({ value }: { value: number | null | undefined }) {
  return value == null ? <Unknown /> : <span title={exact(value)}>{compact(value)}</span>;
}

export function Unknown({ why }: { why?: string }) {
  return (
    <span class="unknown" title={why}>
      {unknown()}
    </span>
  );
}

/** How much of the most that a table shows. */
export function Bar({ part, of, failed = 0 }: { part: number; of: number; failed?: number }) {
  const width = (value: number) => (100 * value) / (of || 1);
  return (
    <svg class="bar" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">
      <rect class="bar-all" width={width(part)} height="3" />
      <rect class="bar-failed" width={width(failed)} height="3" />
    </svg>
  );
}

export function Progress({ done, total }: { done: number; total: number }) {
  return (
    <span class="progress" data-complete={done >= total}>
      <svg class="progress-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="progress-track" width="100" height="4" rx="2" />
        <rect
          class="progress-done"
          width={(100 * Math.min(done, total)) / Math.max(1, total)}
          height="4"
          rx="2"
        />
      </svg>
      <span class="progress-words">
        {done}/{total}
      </span>
    </span>
  );
}
