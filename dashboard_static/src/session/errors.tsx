import { clock, dateTime } from "../format";
import { useField, type HoldSignal } from "./field";
import { Panel } from "./panel";

export function Errors({ hold }: { hold: HoldSignal }) {
  const errors = useField(hold, "errors_list") ?? [];
  return (
    <Panel
      title="Errors"
      testid="errors"
      aside={errors.length > 0 && `newest ${errors.length}`}
      empty={errors.length === 0 && "None."}
    >
      <ol class="errors" tabIndex={0} aria-label="Errors, newest first">
        {[...errors].reverse().map((error) => (
          <li key={error.seq}>
            <time title={dateTime(error.at)}>{clock(error.at)}</time>
            {error.tool && <span class="mono strong">{error.tool}</span>}
            <span class="mono error-text" title={error.text}>
              {error.text}
            </span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
