import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Spent, Usage } from "./answers";
import type { DayChart } from "./day_chart";

/** The chart library comes when it is asked for, and the room for it is there before. */
export function DayPanel({ usage }: { usage: Usage<Spent> }) {
  const chart = useSignal<typeof DayChart | null>(null);
  useEffect(() => {
    let gone = false;
    void import("../charts").then((module) => {
      if (!gone) chart.value = module.DayChart;
    });
    return () => {
      gone = true;
    };
  }, []);
  const Chart = chart.value;
  return (
    <div class="chart-room" data-testid="usage-chart">
      {Chart && <Chart rows={usage.rows} />}
    </div>
  );
}
