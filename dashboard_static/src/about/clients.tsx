import { Ago } from "../ago";
import { bytes, exact, unknown } from "../format";
import { isOperator } from "../hub";
import { plural, t } from "../messages";
import { received } from "../received";
import type { Counts } from "./answers";
import { clients } from "./poll";
import { total } from "./quantile";
import { stateWord } from "./screen";

/** Who else is connected to the worker; only an operator is told. */
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
            {[
              t("Connection"),
              t("Client"),
              t("State"),
              t("Frames a second"),
              t("Opened"),
              t("On their way"),
              t("Last sent"),
            ].map((each) => (
              <th key={each} scope="col">
                {each}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {told.clients.map((each) => (
            <tr key={each.connection} data-connection={each.connection}>
              <th scope="row">
                <code>{each.connection}</code>
                {each.connection === received.connection && (
                  <span class="about-meaning">{t("this tab")}</span>
                )}
              </th>
              <td>{each.client ?? unknown()}</td>
              <td>{stateWord(each.state)}</td>
              <td>{t("at most {count}", { count: each.rate_hz })}</td>
              <td>{exact(each.subscriptions.length)}</td>
              <td>{bytes(each.in_flight_bytes)}</td>
              <td>
                <Ago at={each.last_write_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
