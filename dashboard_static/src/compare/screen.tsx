/** Two to four sessions side by side; the address says which. */

import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { chosen, CHOSEN_MAX } from "../chosen";
import { isAskable, namedPath } from "../history/asked";
import { plural, rich, t } from "../messages";
import { compareHref, goInstead } from "../router";
import { Cards, isNamed } from "./cards";
import { useComparison } from "./comparison";
import { CurvesPanel } from "./curves_panel";
import { FiguresPanel } from "./figures_panel";
import { PartsPanel } from "./parts_panel";
import { Picker } from "./picker";

export function CompareScreen({ ids: told }: { ids: readonly string[] }) {
  const ids = told.filter(isAskable).slice(0, CHOSEN_MAX);
  const adding = useSignal(false);
  const { sessions, failed, again } = useComparison(ids);
  useEffect(() => {
    // The link in the header leads back to what the address says.
    chosen.value = ids;
  }, [ids.join("\n")]);
  const show = (next: readonly string[]) => goInstead(compareHref(next));
  const add = (id: string) => show([...ids, id]);
  const here = sessions.value;
  const picking = ids.length < 2 || (adding.value && ids.length < CHOSEN_MAX);
  return (
    <main class="compare" data-testid="compare" data-count={ids.length}>
      <div class="compare-body">
        <Head ids={ids} adding={adding} />
        <LeftOut told={told} ids={ids} />
        {ids.length > 0 && <Cards ids={ids} sessions={here} failed={failed.value} show={show} />}
        {picking && <Picker ids={ids} add={add} remove={(id) => show(ids.filter((each) => each !== id))} />}
        {failed.value && (
          <p class="history-failure panel" role="alert" data-testid="failure">
            {ids.some((id) => isNamed(id, failed.value))
              ? t("One of these sessions is not known here. Take it away to compare the others.")
              : failed.value}
            <button type="button" class="ghost" onClick={again}>
              {t("Try again")}
            </button>
          </p>
        )}
        {here.length < ids.length && ids.length >= 2 && !failed.value && (
          <p class="history-loading">{t("Loading…")}</p>
        )}
        {here.length >= 2 && (
          <>
            <FiguresPanel sessions={here} ids={ids} />
            <CurvesPanel sessions={here} ids={ids} />
            <PartsPanel sessions={here} ids={ids} />
          </>
        )}
      </div>
    </main>
  );
}

function Head({ ids, adding }: { ids: readonly string[]; adding: Signal<boolean> }) {
  return (
    <header class="compare-head">
      <h1>{t("Compare")}</h1>
      {ids.length >= 2 && <Exports ids={ids} />}
      {ids.length >= 2 && ids.length < CHOSEN_MAX && (
        <button
          type="button"
          class="chip"
          aria-pressed={adding.value}
          data-testid="add"
          onClick={() => (adding.value = !adding.value)}
        >
          {t("Add a session")}
        </button>
      )}
    </header>
  );
}

/** What the address names and is not shown is told of. */
function LeftOut({ told, ids }: { told: readonly string[]; ids: readonly string[] }) {
  const odd = told.filter((id) => !isAskable(id));
  const over = told.length - odd.length - ids.length;
  return (
    <>
      {odd.map((id) => (
        <p key={id} class="compare-note" data-testid="odd">
          {rich("{id} has a comma in its name and cannot be compared.", { id: <bdi>{id}</bdi> })}
        </p>
      ))}
      {over > 0 && (
        <p class="compare-note" data-testid="over">
          {plural(
            over,
            "1 session more is not shown: four is the most.",
            "{count} sessions more are not shown: four is the most.",
          )}
        </p>
      )}
    </>
  );
}

function Exports({ ids }: { ids: readonly string[] }) {
  return (
    <span class="compare-exports" role="group" aria-label={t("Export what is compared")}>
      <a class="ghost" href={namedPath(ids, "csv")!} download="" data-testid="export-csv">
        CSV
      </a>
      <a class="ghost" href={namedPath(ids, "html")!} download="" data-testid="export-html">
        {t("Report")}
      </a>
    </span>
  );
}
