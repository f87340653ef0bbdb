/** What is chosen for this browser alone: to keep it at the top, to put it beside others. */

import { useComputed } from "@preact/signals";
import { chosen, toggleChosen } from "../chosen";
import { Icon } from "../icons";
import { t } from "../messages";
import { pins, togglePin } from "../pins";
import { compareHref } from "../router";

export function HeadButtons({ id }: { id: string }) {
  const pinned = useComputed(() => pins.value.includes(id)).value;
  const picked = useComputed(() => chosen.value.includes(id)).value;
  return (
    <>
      <button
        type="button"
        class="ghost head-button"
        aria-pressed={pinned}
        aria-label={t("Pin to the top of the board")}
        title={t("Pin to the top of the board")}
        data-testid="pin"
        onClick={() => togglePin(id)}
      >
        <Icon name="pin" />
      </button>
      <button
        type="button"
        class="ghost head-button"
        aria-pressed={picked}
        aria-label={picked ? t("Picked for comparison") : t("Compare with…")}
        title={t("Picks this session; the screen Compare shows all that are picked")}
        data-testid="compare-with"
        onClick={() => toggleChosen(id)}
      >
        <Icon name="compare" />
        <span class="head-words">{picked ? t("Picked") : t("Compare with…")}</span>
      </button>
      {picked && (
        <a class="ghost head-button" href={compareHref(chosen.value)} data-testid="to-compare">
          {chosen.value.length > 1
            ? t("Compare {count}", { count: chosen.value.length })
            : t("Pick another")}
        </a>
      )}
    </>
  );
}
