import { t } from "../messages";

/** Beside what is old; it comes late, for most answers are here at once. */
export function Loading() {
  return (
    <span class="history-loading" data-testid="loading">
      {t("Loading…")}
    </span>
  );
}
