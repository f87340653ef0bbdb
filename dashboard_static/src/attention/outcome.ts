/** How an item ended, in the reader's words. */

import { t } from "../messages";
import type { Item } from "../protocol";

export function outcomeWords({ kind }: Item, outcome: string | null): string {
  const how = outcome === null ? "" : word(outcome);
  if (kind === "failure" || kind === "budget") return how ? t("over · {how}", { how }) : t("over");
  return how ? t("answered · {how}", { how }) : t("answered");
}

function word(outcome: string): string {
  return (
    {
      answered: "",
      allowed: t("allowed"),
      denied: t("denied"),
      error: t("error"),
      failed: t("failed"),
      interrupted: t("interrupted"),
      stopped: t("stopped"),
      prompted: t("prompted anew"),
      ended: t("session ended"),
      deleted: t("session deleted"),
      "within budget": t("within the budget"),
    }[outcome] ?? outcome
  );
}
