import { useSignal, type Signal } from "@preact/signals";
import { t } from "../messages";
import { ALL, type Span } from "./chart_data";
import { useField, type HoldSignal } from "./field";
import { Panel } from "./panel";
import { usePiece } from "../piece";

/** The chart library is half of all script and the board needs none of it: it comes when asked for. */
export function ChartPanel({ hold }: { hold: HoldSignal }) {
  const Chart = usePiece(() => import("../charts"))?.TokenChart;
  const span = useSignal(ALL);
  const series = useField(hold, "token_series");
  const words = !series ? t("Catching up…") : series.length === 0 ? t("No tokens were counted yet.") : "";
  return (
    <Panel title={t("Tokens per minute")} testid="token-chart" aside={!words && <Spans span={span} />}>
      <div class="chart-room">
        {words ? (
          <p class="empty small">{words}</p>
        ) : Chart && series ? (
          <Chart series={series} span={span} />
        ) : null}
      </div>
    </Panel>
  );
}

const MINUTE_MS = 60_000;

function Spans({ span }: { span: Signal<Span> }) {
  const shown = span.value;
  const options: [string, Span][] = [
    [t("15 min"), { kind: "latest", ms: 15 * MINUTE_MS }],
    [t("1 h"), { kind: "latest", ms: 60 * MINUTE_MS }],
    [t("All"), ALL],
  ];
  return (
    <span class="spans" role="group" aria-label={t("Time shown")}>
      {shown.kind === "marked" && (
        <button type="button" class="ghost" data-testid="zoom-reset" onClick={() => (span.value = ALL)}>
          {t("Reset zoom")}
        </button>
      )}
      {options.map(([words, each]) => (
        <button
          key={words}
          type="button"
          class="ghost"
          aria-pressed={JSON.stringify(each) === JSON.stringify(shown)}
          onClick={() => (span.value = each)}
        >
          {words}
        </button>
      ))}
    </span>
  );
}
