import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useField, type HoldSignal } from "./field";
import { Panel } from "./panel";
import type { TokenChart } from "./chart";

/** The chart library is half of all script and the board needs none of it: it comes when asked for. */
export function ChartPanel({ hold }: { hold: HoldSignal }) {
  const chart = useSignal<typeof TokenChart | null>(null);
  const series = useField(hold, "token_series");
  useEffect(() => {
    let gone = false;
    void import("../charts").then((module) => {
      if (!gone) chart.value = module.TokenChart;
    });
    return () => {
      gone = true;
    };
  }, []);
  const Chart = chart.value;
  const words = !series ? "Catching up…" : series.length === 0 ? "No tokens were counted yet." : "";
  return (
    <Panel title="Tokens per minute" testid="token-chart">
      <div class="chart-room">
        {words ? <p class="empty small">{words}</p> : Chart && series ? <Chart series={series} /> : null}
      </div>
    </Panel>
  );
}
