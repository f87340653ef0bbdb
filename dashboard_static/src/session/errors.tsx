import type { Signal } from "@preact/signals";
import { clock, dateTime } from "../format";
import { t } from "../messages";
import { entryHref } from "../router";
import { useField, type HoldSignal } from "./field";
import { Panel } from "./panel";
import type { Wanted } from "./timeline";

/** Each leads to where it happened. */
export function Errors({ id, hold, wanted }: { id: string; hold: HoldSignal; wanted: Signal<Wanted> }) {
  const errors = useField(hold, "errors_list") ?? [];
  return (
    <Panel
      title={t("Errors")}
      testid="errors"
      aside={errors.length > 0 && t("newest {count}", { count: errors.length })}
      empty={errors.length === 0 && t("None.")}
    >
      <ol class="errors" tabIndex={0} aria-label={t("Errors, newest first")}>
        {[...errors].reverse().map((error) => (
          <li key={error.seq}>
            <a
              href={entryHref(id, error.seq)}
              title={t("Show in the timeline")}
              // Also where the address names it already.
              onClick={() => (wanted.value = { seq: error.seq })}
            >
              <time title={dateTime(error.at)}>{clock(error.at)}</time>
              {error.tool && <span class="mono strong">{error.tool}</span>}
              <span class="mono error-text">{error.text}</span>
            </a>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
