/** Who else is connected to the worker; only an operator is told. */

import { Ago } from "../ago";
import { bytes, exact, unknown } from "../format";
import { isOperator } from "../hub";
import { plural, t } from "../messages";
import { received } from "../received";
import type { Client, Counts } from "./answers";
import { clients } from "./poll";
import { total } from "./quantile";
import { stateWord } from "./screen";

export function Clients({ counts, worker }: { counts: Counts | undefined; worker: string | undefined }) {
  if (!isOperator()) {
    return (
      <p class="panel about-note" data-testid="clients-hidden">
        {counts && plural(total(counts), "1 browser is connected.", "{count} browsers are connected.")}{" "}
        {t("Which they are, only an operator is told.")}
      </p>
    );
  }
  const told = clients.value;
  if (!told || told.worker !== worker) return null;
  return (
    <section
      class="panel compare-scroll"
      data-testid="clients"
      tabIndex={0}
      role="region"
      aria-label={t("Connected browsers")}
    >
      <table class="about-table about-clients">
        <caption class="hidden">{t("Connected browsers")}</caption>
        <thead>
          <tr>
            {heads().map((each) => (
              <th key={each} scope="col">
                {each}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {told.clients.map((each) => (
            <Row key={each.connection} told={each} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

const heads = (): string[] => [
  t("Connection"),
  t("Client"),
  t("State"),
  t("Frames a second"),
  t("Opened"),
  t("On their way"),
  t("Last sent"),
];

function Row({ told }: { told: Client }) {
  return (
    <tr data-connection={told.connection}>
      <th scope="row">
        <code>{told.connection}</code>
        {told.connection === received.connection && <span class="about-meaning">{t("this tab")}</span>}
      </th>
      <td>{told.client ?? unknown()}</td>
      <td>{stateWord(told.state)}</td>
      <td>{t("at most {count}", { count: told.rate_hz })}</td>
      <td>{exact(told.subscriptions.length)}</td>
      <td>{bytes(told.in_flight_bytes)}</td>
      <td>
        <Ago at={told.last_write_at} />
      </td>
    </tr>
  );
}
