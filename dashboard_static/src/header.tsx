import { useComputed } from "@preact/signals";
import { inboxWanted } from "./attention/inbox_keys";
import { chosen } from "./chosen";
import { now } from "./clock";
import { FULL } from "./closes";
import type { ConnectionState } from "./connection_state";
import { connection, link, me, retryNow } from "./hub";
import { Icon } from "./icons";
import { items, totals } from "./live";
import { Menu } from "./menu";
import { plural, t } from "./messages";
import { Notices } from "./notices";
import { compareHref, historyHref, route, type Route } from "./router";

function wordsOf(state: ConnectionState): string {
  return {
    live: t("Live"),
    "catching-up": t("Catching up"),
    behind: t("Behind"),
    polling: t("Polling"),
    offline: t("Offline"),
  }[state];
}

export function Header() {
  return (
    <header class="top">
      <a class="brand" href="#/" aria-label={t("Agent Tower, board")}>
        <Icon name="tower" />
        <span>Agent Tower</span>
      </a>
      <nav class="screens" aria-label={t("Screens")}>
        <ScreenLink screen="board" href="#/" words={t("Board")} />
        <ScreenLink screen="history" href={historyHref()} words={t("History")} />
        <ScreenLink screen="compare" href={compareHref(chosen.value)} words={t("Compare")} />
      </nav>
      {me.value && me.value.workspace !== "default" && <span class="workspace">{me.value.workspace}</span>}
      <div class="top-space">
        <Notices />
      </div>
      <Watching />
      <AttentionMark />
      <ConnectionMark />
      <Menu />
    </header>
  );
}

function ScreenLink({ screen, href, words }: { screen: Route["screen"]; href: string; words: string }) {
  return (
    <a class="screen-link" href={href} aria-current={route.value.screen === screen ? "page" : undefined}>
      {words}
    </a>
  );
}

/** Stands beside the space that is left over, so that its coming and going moves nothing. */
function Watching() {
  const count = useComputed(() => totals.value?.watching ?? 1).value;
  // Of who watches nothing is known while nothing is heard.
  if (count < 2 || connection.value === "offline") return null;
  return (
    <span class="watching" data-testid="watching" title={t("Browsers that have this board open, this one included")}>
      <span aria-hidden="true">{t("{count} watching", { count })}</span>
      <span class="hidden">{t("{count} browsers are watching this board", { count })}</span>
    </span>
  );
}

function AttentionMark() {
  const count = items.value.length;
  const words = count === 0 ? t("Nothing needs you") : plural(count, "1 needs you", "{count} need you");
  return (
    <a class="attention-mark" href="#/" data-some={count > 0} onClick={() => (inboxWanted.value = count > 0)}>
      <span role="status" data-testid="attention-count" data-count={count}>
        {words}
      </span>
    </a>
  );
}

function ConnectionMark() {
  const state = connection.value;
  const detail = useComputed(() => detailOf(now.value));
  return (
    <div class="connection" data-testid="connection" data-state={state}>
      <span class="connection-dot" aria-hidden="true" />
      <span class="connection-word" role="status">
        {wordsOf(state)}
      </span>
      <span class="connection-detail">{detail}</span>
      {(state === "offline" || state === "polling") && (
        <button type="button" class="ghost" onClick={retryNow}>
          {t("Retry")}
        </button>
      )}
    </div>
  );
}

/** `tick` is only the reason to look again; what is shown is this machine's own measure. */
function detailOf(_tick: number): string {
  const { phase, heard_at, retry_at, code, words } = link.value;
  const state = connection.value;
  if (state === "polling") return t("{why}, every 2 s", { why: code === FULL ? t(words) : t("no WebSocket") });
  const heard = heard_at === null ? "" : t("heartbeat {seconds} s ago", { seconds: seconds(Date.now() - heard_at) });
  if (phase === "open") return heard;
  // While nothing is heard, the age of the last word is the age of all that is shown.
  const why = [t(words), heard].filter(Boolean).join(", ");
  if (phase !== "retrying" || retry_at === null) return why;
  return t("{why}, again in {seconds} s", { why, seconds: seconds(retry_at - Date.now()) });
}

const seconds = (ms: number): number => Math.max(0, Math.round(ms / 1000));
