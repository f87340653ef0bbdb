import { Ago } from "../ago";
import type { Objective } from "../protocol";
import { Progress } from "../values";
import { useField, type HoldSignal } from "./field";
import { Panel } from "./panel";

export function Objectives({ hold }: { hold: HoldSignal }) {
  const list = Object.entries(useField(hold, "objectives_list") ?? {});
  const count = useField(hold, "objectives");
  return (
    <Panel
      title="Objectives"
      testid="objectives"
      aside={count && count.total > 0 && <Progress {...count} />}
      empty={list.length === 0 && "The agent has set itself none."}
    >
      <ol class="objectives">
        {list.map(([id, objective]) => (
          <Row key={id} objective={objective} />
        ))}
      </ol>
    </Panel>
  );
}

function Row({ objective: { text, status, at } }: { objective: Objective }) {
  return (
    <li data-status={status}>
      <svg class="check" viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="8" cy="8" r="6" />
        {status === "completed" && <path d="M5 8.2 7.2 10.4 11 6" />}
        {status === "in_progress" && <circle class="check-dot" cx="8" cy="8" r="2.5" />}
      </svg>
      <span class="objective-text">
        <span class="hidden">{status}: </span>
        {text}
      </span>
      <span class="age">
        <Ago at={at} />
      </span>
    </li>
  );
}
