import { Ago } from "../ago";
import { now } from "../clock";
import { clockMinute, dateTime, DAY, dayMinute, objectiveWord } from "../format";
import { Icon } from "../icons";
import { rich, t } from "../messages";
import type { Objective } from "../protocol";
import { Progress } from "../values";
import { useField, type HoldSignal } from "./field";
import { Panel } from "./panel";

export function Objectives({ hold }: { hold: HoldSignal }) {
  const list = Object.entries(useField(hold, "objectives_list") ?? {});
  const count = useField(hold, "objectives");
  const done_at = doneAt(list.map(([, objective]) => objective));
  return (
    <Panel
      title={t("Objectives")}
      testid="objectives"
      aside={done_at !== undefined ? <AllDone at={done_at} /> : count && count.total > 0 && <Progress {...count} />}
      empty={list.length === 0 && t("The agent has set itself none.")}
    >
      <ol class="objectives">
        {list.map(([id, objective]) => (
          <Row key={id} objective={objective} />
        ))}
      </ol>
    </Panel>
  );
}

/** When the last of them was done, null if that is not known; undefined while any is not. */
function doneAt(list: readonly Objective[]): number | null | undefined {
  if (list.length === 0 || list.some(({ status }) => status !== "completed")) return undefined;
  const times = list.flatMap(({ at }) => (at === null ? [] : [at]));
  return times.length > 0 ? Math.max(...times) : null;
}

/** Of what is long ago the time of day alone says nothing. */
const momentWords = (at: number): string => (isLately(at) ? clockMinute(at) : dayMinute(at));

const isLately = (at: number): boolean => now.peek() - at < DAY;

function AllDone({ at }: { at: number | null }) {
  return (
    <span class="all-done" data-testid="all-done">
      <Icon name="objective" />
      {at === null
        ? t("All done")
        : rich("All done at {time}", { time: <time title={dateTime(at)}>{momentWords(at)}</time> })}
    </span>
  );
}

function Row({ objective: { text, status, at } }: { objective: Objective }) {
  const words = objectiveWord(status);
  return (
    <li data-status={status}>
      <svg class="check" viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="8" cy="8" r="6" />
        {status === "completed" && <path d="M5 8.2 7.2 10.4 11 6" />}
        {status === "in_progress" && <circle class="check-dot" cx="8" cy="8" r="2.5" />}
      </svg>
      <span class="objective-text">
        <span class="hidden">{words}: </span>
        {text}
      </span>
      {at !== null && (
        <span class="objective-times">
          {status === "in_progress" && isLately(at) && <Ago at={at} />}
          <time title={t("{status} since {time}", { status: words, time: dateTime(at) })}>{momentWords(at)}</time>
        </span>
      )}
    </li>
  );
}
