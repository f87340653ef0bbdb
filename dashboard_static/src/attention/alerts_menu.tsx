/** The part of the settings about alerts. What the browser does not allow is said in words. */

import { computed, useSignal } from "@preact/signals";
import { Switch } from "../menu";
import { t } from "../messages";
import { desktop, finished, sound, wanted } from "./alert_choices";
import { noteSwitchedOn, startAlerts } from "./alerts";
import { askPermission, permission, type Permission } from "./desktop";
import { canSound, ring, unlock } from "./sound";

/** A switch is on only if something comes of it. */
const desktopWorks = computed(() => desktop.value && permission() === "granted");
const soundWorks = computed(() => sound.value && canSound());

export function AlertChoices() {
  const allowed = useSignal<Permission>(permission());
  const switchDesktop = async (on: boolean) => {
    if (on) {
      allowed.value = await askPermission();
      if (allowed.value === "granted") noteSwitchedOn();
    }
    desktop.value = on && allowed.value === "granted";
    if (desktop.peek()) startAlerts(true);
  };
  const switchSound = async (on: boolean) => {
    if (on) noteSwitchedOn();
    sound.value = on && canSound();
    if (!sound.peek()) return;
    startAlerts(true);
    await unlock();
    ring();
  };
  const why = permissionWords(allowed.value, desktop.value);
  return (
    <fieldset class="menu-part" data-testid="menu-alerts">
      <legend>{t("Alert me when something needs me")}</legend>
      <Switch words={t("Desktop notification")} name="desktop" value={desktopWorks} change={switchDesktop} />
      {why && (
        <p class="menu-note" role="status" data-testid="menu-desktop-note">
          {why}
        </p>
      )}
      <Switch words={t("Sound")} name="sound" value={soundWorks} change={switchSound} />
      <p class="menu-note">
        {canSound()
          ? t("After a reload it sounds from the first click or key on the page.")
          : t("This browser cannot sound.")}
      </p>
      <Switch
        words={t("Also when a session I pinned has finished")}
        name="finished"
        value={finished}
        disabled={!wanted.value}
        change={(on) => {
          finished.value = on;
        }}
      />
    </fieldset>
  );
}

function permissionWords(allowed: Permission, chosen: boolean): string {
  if (allowed === "unsupported")
    return t("This browser shows no notifications of this page: it needs https, or this very machine.");
  if (allowed === "denied")
    return t("The browser forbids notifications of this page. Its settings for this site can allow them.");
  return allowed === "default" && chosen ? t("The browser has not been asked yet: switch it on once more.") : "";
}
