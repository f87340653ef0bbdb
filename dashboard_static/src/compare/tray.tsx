/** At the foot of the screens where sessions are picked, in room of its own: it covers no row. */

import { Fragment } from "preact";
import { chosen, names } from "../chosen";
import { nameOf } from "../format";
import { row } from "../live";
import { plural, t } from "../messages";
import { compareHref, route } from "../router";

export function Tray() {
  const ids = chosen.value;
  const { screen } = route.value;
  if (ids.length === 0 || screen === "compare" || screen === "about") return null;
  return (
    <aside class="tray" aria-label={t("Chosen to be compared")} data-testid="tray">
      <strong role="status">{plural(ids.length, "1 session chosen", "{count} sessions chosen")}</strong>
      <span class="tray-names clip">
        {ids.map((id, at) => (
          <Fragment key={id}>
            {at > 0 && ", "}
            <bdi>{titleOf(id)}</bdi>
          </Fragment>
        ))}
      </span>
      <a class="chip" href={compareHref(ids)}>
        {ids.length > 1 ? t("Compare") : t("Choose another")}
      </a>
      <button type="button" class="ghost" onClick={() => (chosen.value = [])}>
        {t("Clear")}
      </button>
    </aside>
  );
}

function titleOf(id: string): string {
  const session = row(id).value;
  return session ? nameOf(session) : (names.get(id) ?? id);
}
