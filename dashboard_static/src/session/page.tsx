import { useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { AttentionCards } from "../attention/cards";
import { row } from "../live";
import { isFresh } from "../store/hold";
import { ChartPanel } from "./chart_panel";
import { Errors } from "./errors";
import { useHold } from "./field";
import { Freshness } from "./freshness";
import { SessionHeader } from "./head";
import { Metrics } from "./metrics";
import { Models } from "./models";
import { Objectives } from "./objectives";
import { Silences, Sources } from "./sources";
import { Subagents } from "./subagents";
import { Timeline, type Wanted } from "./timeline";
import { Tools } from "./tools";

export function SessionPage({ id, entry }: { id: string; entry: number | null }) {
  const hold = useHold(id);
  const wanted = useSignal<Wanted>({ seq: entry });
  useEffect(() => {
    if (entry !== wanted.peek().seq) wanted.value = { seq: entry };
  }, [entry]);
  // The board's row stands in until the session's own snapshot is here.
  const summary = useComputed(() => hold.value?.detail ?? row(id).value);
  const stale = useComputed(() => !hold.value || !isFresh(hold.value)).value;
  return (
    <main class="session" data-testid="session-page" data-session={id} data-stale={stale}>
      <SessionHeader id={id} summary={summary} freshness={<Freshness hold={hold} />} />
      <div class="session-body">
        <AttentionCards id={id} />
        <Silences hold={hold} />
        <Metrics summary={summary} hold={hold} />
        <div class="session-columns">
          <div class="session-main">
            <ChartPanel hold={hold} />
            <Timeline id={id} hold={hold} wanted={wanted} />
          </div>
          <div class="session-side">
            <Objectives hold={hold} />
            <Tools hold={hold} />
            <Models hold={hold} />
            <Sources hold={hold} />
            <Subagents hold={hold} />
            <Errors id={id} hold={hold} wanted={wanted} />
          </div>
        </div>
      </div>
    </main>
  );
}
