/** What stands in the list where no session does. */

import { FULL } from "../closes";
import { connection, link } from "../hub";
import { loaded } from "../live";
import { t } from "../messages";
import { isFilter } from "./filter";
import { filter } from "./layout";

export function Nothing() {
  if (!loaded.value) return <p class="empty">{waitingWords()}</p>;
  if (isFilter(filter.value)) return <p class="empty">{t("No session matches this filter.")}</p>;
  return (
    <div class="welcome" data-testid="empty">
      <h2>{t("No sessions yet")}</h2>
      <p>{t("Start an agent in any folder: it appears here by itself.")}</p>
      <dl>
        <dt>
          <code>tower hooks install</code>
        </dt>
        <dd>{t("shows status and open questions within milliseconds.")}</dd>
        <dt>
          <code>tower replay PATH</code>
        </dt>
        <dd>{t("plays recorded transcripts as if they happened now.")}</dd>
      </dl>
    </div>
  );
}

function waitingWords(): string {
  if (connection.value !== "offline") return t("Reading the board…");
  if (link.value.code === FULL) return t("The board is full: no more browsers can watch it. Trying again.");
  return t("The tower cannot be reached. Trying again.");
}
