/** Stands above the first row for as long as the tower has any before it. */

import { t } from "../messages";
import type { Entries } from "./entries";

export const OLDER_PX = 40;
const PAGE = 200;

export function Older({ entries }: { entries: Entries }) {
  return (
    <p class="older">
      <button
        type="button"
        class="ghost"
        data-testid="load-older"
        disabled={entries.loading.value}
        onClick={() => void entries.load(PAGE)}
      >
        {entries.loading.value ? t("Loading…") : t("Load older")}
      </button>
      {entries.failure.value && <span role="alert">{entries.failure}</span>}
    </p>
  );
}
