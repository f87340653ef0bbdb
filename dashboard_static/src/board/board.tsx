import { Inbox } from "../attention/inbox";
import { connection } from "../hub";
import { items, loaded } from "../live";
import { t } from "../messages";
import { FilterBar } from "./filter_bar";
import { SessionList } from "./session_list";
import { TotalsStrip } from "./totals";

export function Board() {
  const state = connection.value;
  const stale = loaded.value && (state === "offline" || state === "catching-up");
  return (
    <main class="board" data-some={items.value.length > 0} data-stale={stale}>
      <h1 class="hidden">{t("Sessions")}</h1>
      <TotalsStrip />
      <Inbox />
      <section class="panel sessions" aria-label={t("Sessions")}>
        <FilterBar />
        <SessionList />
      </section>
    </main>
  );
}
