/** The head of a group: what it is, and what it comes to. A click, or Enter, folds it. */

import { useComputed } from "@preact/signals";
import { compact, exact, statusWord } from "../format";
import { Icon } from "../icons";
import { plural, t } from "../messages";
import type { Status } from "../protocol";
import { Cost, Unknown } from "../values";
import type { Group } from "./arrange";
import { folded, toggleFolded } from "./choices";
import { figures, layout } from "./layout";
import { rowId } from "./row_id";

/** Up to the tokens, which stand below their own. */
const NAME_COLUMNS = 5;

interface Props {
  id: string;
  at: number;
  top: number;
  selected: boolean;
}

export function GroupHead({ id, at, top, selected }: Props) {
  const group = layout.value.groups.get(id);
  const isFolded = folded.value.includes(id);
  if (!group) return null;
  return (
    <div
      id={rowId(id)}
      class="columns group-head"
      role="row"
      aria-rowindex={at + 2}
      aria-selected={selected}
      data-testid="group-head"
      data-group={id}
      data-status={group.kind === "status" ? group.value : undefined}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => toggleFolded(id)}
    >
      <span role="gridcell" aria-colspan={NAME_COLUMNS} class="group-line">
        <button type="button" class="group-name" tabIndex={-1} aria-expanded={!isFolded}>
          <Icon name="chevron" />
          {group.kind === "pinned" && <Icon name="pin" />}
          {group.kind === "status" && <span class="dot" aria-hidden="true" />}
          <bdi class="group-words">{wordsOf(group)}</bdi>
        </button>
        <Counts id={id} ofStatus={group.kind === "status"} />
      </span>
      <Sums id={id} />
    </div>
  );
}

const useFigures = (id: string) => useComputed(() => figures.value.get(id)).value;

function Counts({ id, ofStatus }: { id: string; ofStatus: boolean }) {
  const told = useFigures(id);
  if (!told) return null;
  const { sessions, waiting } = told;
  return (
    <>
      <span>{plural(sessions, "1 session", "{count} sessions", { count: exact(sessions) })}</span>
      {waiting > 0 && !ofStatus && <span class="group-waiting">{t("{count} waiting", { count: exact(waiting) })}</span>}
    </>
  );
}

function Sums({ id }: { id: string }) {
  const told = useFigures(id);
  if (!told) return null;
  const { tokens, cost_usd, cost_state } = told;
  return (
    <>
      <span role="gridcell" class="cell number" data-column="tokens">
        {tokens === null ? (
          <Unknown />
        ) : (
          <span title={t("Tokens of these sessions, as far as they are known.")}>{compact(tokens)}</span>
        )}
      </span>
      <span role="gridcell" class="cell number" data-column="cost">
        <Cost usd={cost_usd} state={cost_state} why={costWords(cost_state === "priced")} />
      </span>
    </>
  );
}

const costWords = (isWhole: boolean): string =>
  isWhole
    ? t("Cost of these sessions. Every call has a price.")
    : t("Cost of these sessions, as far as it is known.");

function wordsOf({ kind, value }: Group): string {
  if (kind === "pinned") return t("Pinned");
  if (kind === "others") return t("Others");
  if (kind === "status") return statusWord(value as Status);
  return value ?? (kind === "host" ? t("No host") : t("No project"));
}
