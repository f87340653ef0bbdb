/** Spending by day. The chart library comes when it is asked for, and the room for it is there before. */

import { usePiece } from "../piece";
import type { Spent, Usage } from "./answers";

export function DayPanel({ usage }: { usage: Usage<Spent> }) {
  const Chart = usePiece(() => import("../charts"))?.DayChart;
  return (
    <div class="chart-room" data-testid="usage-chart">
      {Chart && <Chart rows={usage.rows} />}
    </div>
  );
}
