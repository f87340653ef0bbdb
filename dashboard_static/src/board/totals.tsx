import type { ComponentChildren } from "preact";
import { compact, exact, sum, tokensTitle, usd } from "../format";
import { totals } from "../live";
import type { Status } from "../protocol";

const SHOWN: Status[] = ["running", "waiting", "idle", "failed"];

export function TotalsStrip() {
  const all = totals.value;
  const tokens = sum(all?.tokens);
  return (
    <section class="totals" aria-label="Totals over all sessions" data-testid="totals">
      {SHOWN.map((status) => (
        <Total key={status} name={status} status={status} quiet={!all?.status[status]}>
          {all ? exact(all.status[status] ?? 0) : "–"}
        </Total>
      ))}
      <Total name="sessions">{all ? exact(all.sessions) : "–"}</Total>
      <Total name="tokens" title={all ? tokensTitle(all.tokens) : undefined}>
        {all ? compact(tokens) : "–"}
      </Total>
      <Total name="cost">{all ? usd(all.cost_usd) : "–"}</Total>
    </section>
  );
}

interface Props {
  name: string;
  status?: Status;
  title?: string;
  quiet?: boolean;
  children: ComponentChildren;
}

function Total({ name, status, title, quiet, children }: Props) {
  return (
    <div class="total" data-testid={`total-${name}`} data-status={status} data-quiet={quiet} title={title}>
      <span class="total-value">{children}</span>
      <span class="total-name">
        {status && <span class="dot" aria-hidden="true" />}
        {name}
      </span>
    </div>
  );
}
