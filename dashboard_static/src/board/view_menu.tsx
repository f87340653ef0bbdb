/** How the list is ordered, grouped and narrowed beside the filter's words: chosen seldom, so behind a button. */

import { useComputed, useSignal } from "@preact/signals";
import { Icon } from "../icons";
import { model } from "../live";
import { narrow } from "../media";
import { Choice, Select, Switch } from "../menu";
import { t } from "../messages";
import { density, grouping, GROUPINGS, sort, SORTS, type Density, type Grouping } from "./choices";
import { sortWords } from "./columns";
import { FACTS, type Fact } from "./filter";
import { setFilter } from "./filter_choices";
import { filter } from "./layout";

const PANEL = "view-panel";
const DENSITIES: readonly Density[] = ["comfortable", "compact"];
const MARGIN_PX = 6;

export function ViewMenu() {
  const values = useSignal<Record<Fact, string[]> | null>(null);
  const archived = useComputed(() => filter.value.archived === true);
  return (
    <>
      <button type="button" class="ghost view-button" popovertarget={PANEL} data-testid="view">
        <Icon name="view" />
        {t("View")}
      </button>
      <div
        id={PANEL}
        class="menu view-panel"
        popover="auto"
        role="group"
        aria-label={t("View")}
        data-testid="view-panel"
        onBeforeToggle={(event) => {
          if (event.newState !== "open") return;
          beside(event.currentTarget);
          values.value = valuesOf();
        }}
      >
        <Looks />
        {values.value && FACTS.map((fact) => <FactChoice key={fact} fact={fact} values={values.value![fact]} />)}
        <Switch
          words={t("Archived too")}
          name="archived"
          value={archived}
          change={(on) => setFilter({ archived: on })}
        />
      </div>
    </>
  );
}

function Looks() {
  return (
    <>
      <Choice
        words={t("Sort")}
        name="sort"
        value={sort}
        options={SORTS.map((each) => [each, sortWords(each)])}
      />
      <Choice
        words={t("Group by")}
        name="grouping"
        value={grouping}
        options={GROUPINGS.map((each) => [each, groupingWords(each)])}
      />
      {!narrow.value && (
        <Choice
          words={t("Rows")}
          name="density"
          value={density}
          options={DENSITIES.map((each) => [each, each === "compact" ? t("compact") : t("comfortable")])}
        />
      )}
    </>
  );
}

/** A choice of one is none. */
function FactChoice({ fact, values }: { fact: Fact; values: string[] }) {
  const chosen = filter.value[fact];
  if (values.length < 2 && chosen === undefined) return null;
  const all = chosen === undefined || values.includes(chosen) ? values : [chosen, ...values];
  return (
    <Select
      words={factName(fact)}
      name={fact}
      value={chosen ?? ""}
      options={[["", t("all")], ...all.map((each) => [each, each] as const)]}
      choose={(told) => setFilter({ [fact]: told || undefined })}
    />
  );
}

/** Of the rows that are here; looked up when the panel opens, for it costs a look at each. */
function valuesOf(): Record<Fact, string[]> {
  const sets = FACTS.map((fact) => [fact, new Set<string>()] as const);
  for (const row of model.overview.rows.values())
    for (const [fact, set] of sets) if (row[fact]) set.add(row[fact]);
  return Object.fromEntries(sets.map(([fact, set]) => [fact, [...set].sort()])) as Record<Fact, string[]>;
}

/** Under its button, the right edges in line. */
function beside(panel: HTMLElement): void {
  const { bottom, right } = document.querySelector(`[popovertarget=${PANEL}]`)!.getBoundingClientRect();
  panel.style.top = `${bottom + MARGIN_PX}px`;
  panel.style.right = `${Math.max(MARGIN_PX, document.documentElement.clientWidth - right)}px`;
}

function groupingWords(by: Grouping): string {
  return { none: t("nothing"), project: t("project"), status: t("status"), host: t("host") }[by];
}

function factName(fact: Fact): string {
  return { project: t("Project"), host: t("Host"), agent: t("Agent"), user: t("User") }[fact];
}
