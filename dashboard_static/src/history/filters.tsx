import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { now } from "../clock";
import { FilterField, StatusChip } from "../filter_parts";
import { isoDay } from "../format";
import { Icon } from "../icons";
import { narrow } from "../media";
import { later, t } from "../messages";
import type { Status } from "../protocol";
import { go, goInstead, historyHref } from "../router";
import { queryOf, type Asked, type Name } from "./asked";
import { Choice } from "./choice";
import { isSpan, span, SPANS } from "./days";
import { listing } from "./listing";
import { usage } from "./usage";

const STATUSES: Status[] = ["running", "waiting", "idle", "failed", "ended", "stale"];
const TYPING_MS = 250;

/** Everything that narrows the list. What is chosen stands in the address, and is read from there alone. */
export function Filters({ asked }: { asked: Asked }) {
  const set = (change: Asked) => go(historyHref(queryOf({ ...asked, ...change })));
  return (
    <section class="panel history-filters" role="search" aria-label={t("History")}>
      <SearchField asked={asked} />
      <Statuses chosen={asked.status?.split(",") ?? []} choose={(status) => set({ status })} />
      <details class="history-fold" open={!narrow.value}>
        <summary>
          <Icon name="chevron" />
          {folded(asked)}
        </summary>
        <div class="history-choices">
          <Spans asked={asked} set={set} />
          <Choices asked={asked} set={set} />
          <label class="history-check">
            <input
              type="checkbox"
              checked={asked.archived === "true"}
              onChange={(event) => set({ archived: event.currentTarget.checked ? "true" : "" })}
            />
            {t("Archived too")}
          </label>
        </div>
      </details>
    </section>
  );
}

interface Props {
  asked: Asked;
  set: (change: Asked) => void;
}

function Choices({ asked, set }: Props) {
  const choose = (name: Name) => (value: string) => set({ [name]: value });
  const rows = listing.value.rows;
  const users = rows.map((row) => row.user);
  return (
    <>
      <Choice
        name="project"
        words={t("Project")}
        all={t("All projects")}
        value={asked.project}
        known={[...rows.map((row) => row.project), ...keys(usage.value?.project.rows)]}
        choose={choose("project")}
      />
      <Choice
        name="agent"
        words={t("Agent")}
        all={t("All agents")}
        value={asked.agent}
        known={[...rows.map((row) => row.agent), ...keys(usage.value?.agent.rows)]}
        choose={choose("agent")}
      />
      {(asked.user || new Set(users).size > 1) && (
        <Choice
          name="user"
          words={t("User")}
          all={t("All users")}
          value={asked.user}
          known={users}
          choose={choose("user")}
        />
      )}
      <Choice
        name="order"
        words={t("Order")}
        all={t("Latest first")}
        value={asked.sort}
        known={["started", "cost"]}
        names={{ started: t("Newest first"), cost: t("Costliest first") }}
        choose={choose("sort")}
      />
    </>
  );
}

/** What is chosen is said where it is not seen. */
function folded({ q: _, status: __, ...asked }: Asked): string {
  const count = Object.keys(asked).length;
  return count > 0 ? t("Days and filters · {count} chosen", { count }) : t("Days and filters");
}

const keys = (rows: { key: string | null }[] | undefined) => rows?.map((row) => row.key) ?? [];

/** What stands in the field is in the address when no more is typed. */
function SearchField({ asked }: { asked: Asked }) {
  const q = asked.q ?? "";
  const typed = useSignal(q);
  const latest = useRef({ asked, sought: q });
  latest.current.asked = asked;
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    // Only what came from elsewhere goes into the field: more may have been typed since.
    if (q !== latest.current.sought) typed.value = latest.current.sought = q;
  }, [q]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const search = () => {
    clearTimeout(timer.current);
    const { asked, sought } = latest.current;
    const wanted = typed.peek().trim();
    if (wanted === sought) return;
    latest.current.sought = wanted;
    // Back leads to before the search, not through its letters.
    const leave = sought === "" ? go : goInstead;
    leave(historyHref(queryOf({ ...asked, q: wanted })));
  };
  return (
    <FilterField
      words={t("Search sessions")}
      placeholder={t("Prompts, messages, paths")}
      testid="search"
      text={typed}
      typed={(text) => {
        typed.value = text;
        clearTimeout(timer.current);
        timer.current = setTimeout(search, TYPING_MS);
      }}
      done={search}
    />
  );
}

function Statuses({ chosen, choose }: { chosen: string[]; choose: (value: string) => void }) {
  const toggle = (status: string) =>
    choose(STATUSES.filter((each) => chosen.includes(each) !== (each === status)).join(","));
  return (
    <div class="chips" role="group" aria-label={t("Status")}>
      {STATUSES.map((status) => (
        <StatusChip
          key={status}
          status={status}
          pressed={chosen.includes(status)}
          toggle={() => toggle(status)}
        />
      ))}
    </div>
  );
}

const DAYS = [
  ["since", later("From")],
  ["until", later("to")],
] as const;

function Spans({ asked, set }: Props) {
  const today = useComputed(() => Date.parse(isoDay(now.value))).value;
  return (
    <div class="history-spans" role="group" aria-label={t("Days, of UTC")}>
      {SPANS.map(({ words, days }) => (
        <button
          key={words}
          type="button"
          class="chip"
          aria-pressed={isSpan(days, asked, today)}
          data-testid={`span-${days}`}
          onClick={() => set(span(days, today))}
        >
          {t(words)}
        </button>
      ))}
      {DAYS.map(([name, words]) => (
        <label key={name} class="history-day">
          {t(words)}
          <input
            type="date"
            min="1970-01-01"
            value={asked[name] ?? ""}
            data-testid={name}
            onChange={(event) => {
              const { value, validity } = event.currentTarget;
              // While a year is typed it is one of long ago.
              if (validity.valid) set({ [name]: value });
            }}
          />
        </label>
      ))}
    </div>
  );
}
