/** Tokens over time of what is compared. The chart library comes when it is asked for. */

import { useSignal, type Signal } from "@preact/signals";
import { t } from "../messages";
import { usePiece } from "../piece";
import type { ColumnsProps } from "./columns";
import type { Axis, Measure } from "./curves";

export function CurvesPanel({ sessions, ids }: ColumnsProps) {
  const Chart = usePiece(() => import("../charts"))?.CurveChart;
  const axis = useSignal<Axis>("elapsed");
  const measure = useSignal<Measure>("cumulative");
  const empty = sessions.every(({ token_series }) => token_series.length === 0);
  // What a chart is made of is fixed when it is made.
  const key = [axis.value, measure.value, ...sessions.map(({ id }) => id)].join("\n");
  return (
    <section class="panel" data-testid="compare-curves" aria-label={t("Tokens over time")}>
      <header class="panel-head compare-curves-head">
        <h2>{t("Tokens over time")}</h2>
        <Switch
          name="measure"
          value={measure}
          options={[
            ["cumulative", t("Added up")],
            ["minute", t("Per minute")],
          ]}
        />
        <Switch
          name="axis"
          value={axis}
          options={[
            ["elapsed", t("Since each one's start")],
            ["clock", t("By the clock")],
          ]}
        />
      </header>
      <div class="chart-room">
        {empty ? (
          <p class="empty small">{t("No tokens were counted yet.")}</p>
        ) : (
          Chart && <Chart key={key} sessions={sessions} ids={ids} axis={axis.value} measure={measure.value} />
        )}
      </div>
    </section>
  );
}

interface SwitchProps<T extends string> {
  name: string;
  value: Signal<T>;
  options: readonly (readonly [T, string])[];
}

function Switch<T extends string>({ name, value, options }: SwitchProps<T>) {
  return (
    <span class="compare-switch" role="group" data-testid={`switch-${name}`}>
      {options.map(([each, words]) => (
        <button
          key={each}
          type="button"
          class="chip"
          aria-pressed={value.value === each}
          data-testid={`${name}-${each}`}
          onClick={() => (value.value = each)}
        >
          {words}
        </button>
      ))}
    </span>
  );
}
