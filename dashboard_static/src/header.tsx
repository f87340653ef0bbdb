import { useComputed } from "@preact/signals";
import { now } from "./clock";
import { FULL } from "./closes";
import { connection, link, me, retryNow } from "./hub";
import { Icon } from "./icons";
import { items, totals } from "./live";
import { sheetOpen } from "./keys";
import { Notices } from "./notices";
import { historyHref, route } from "./router";

const WORDS = {
  live: "Live",
  "catching-up": "Catching up",
  behind: "Behind",
  polling: "Polling",
  offline: "Offline",
} as const;

export function Header() {
  return (
    <header class="top">
      <a class="brand" href="#/" aria-label="Agent Tower, board">
        <Icon name="tower" />
        <span>Agent Tower</span>
      </a>
      <nav aria-label="Screens">
        <a
          class="screen-link"
          href={historyHref()}
          aria-current={route.value.screen === "history" ? "page" : undefined}
        >
          History
        </a>
      </nav>
      {me.value && me.value.workspace !== "default" && <span class="workspace">{me.value.workspace}</span>}
      <div class="top-space">
        <Notices />
      </div>
      <Watching />
      <AttentionMark />
      <ConnectionMark />
      <button
        type="button"
        class="ghost key-button"
        aria-label="Keyboard shortcuts"
        onClick={() => (sheetOpen.value = true)}
      >
        ?
      </button>
    </header>
  );
}

/** Stands beside the space that is left over, so that its coming and going moves nothing. */
function Watching() {
  const count = useComputed(() => totals.value?.watching ?? 1).value;
  // Of who watches nothing is known while nothing is heard.
  if (count < 2 || connection.value === "offline") return null;
  return (
    <span class="watching" data-testid="watching" title="Browsers that have this board open, this one included">
      <span aria-hidden="true">{count} watching</span>
      <span class="hidden">{count} browsers are watching this board</span>
    </span>
  );
}

function AttentionMark() {
  const count = items.value.length;
  const words = count === 0 ? "Nothing needs you" : count === 1 ? "1 needs you" : `${count} need you`;
  return (
    <a class="attention-mark" href="#/" data-some={count > 0}>
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
        {WORDS[state]}
      </span>
      <span class="connection-detail">{detail}</span>
      {(state === "offline" || state === "polling") && (
        <button type="button" class="ghost" onClick={retryNow}>
          Retry
        </button>
      )}
    </div>
  );
}

/** `tick` is only the reason to look again; what is shown is this machine's own measure. */
function detailOf(_tick: number): string {
  const { phase, heard_at, retry_at, code, words } = link.value;
  const state = connection.value;
  if (state === "polling") return `${code === FULL ? words : "no WebSocket"}, every 2 s`;
  if (phase === "open" && heard_at !== null) return `heartbeat ${seconds(Date.now() - heard_at)} ago`;
  if (phase === "retrying" && retry_at !== null)
    return `${words}, again in ${seconds(retry_at - Date.now())}`;
  return words;
}

function seconds(ms: number): string {
  return `${Math.max(0, Math.round(ms / 1000))} s`;
}
