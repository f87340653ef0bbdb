import { useComputed, type ReadonlySignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { unturned } from "../format";
import { closeSession, SUBSCRIPTIONS } from "../hub";
import { Icon } from "../icons";
import { holds, row } from "../live";
import { t } from "../messages";
import { go, route, sessionHref } from "../router";
import { notify } from "../words";
import { markOf } from "./mark";

/** Opened sessions in the order of their opening; the hub follows the latest few of them. */
export function Tabs() {
  // One text, which is compared; an id may hold any character between which one could be split.
  const ids = useComputed(() => JSON.stringify(holds.value.map((hold) => hold.session).sort())).value;
  if (ids === "[]") return null;
  return (
    <nav class="tabs" aria-label={t("Opened sessions")}>
      {ordered(JSON.parse(ids) as string[]).map((id) => (
        <Tab key={id} id={id} />
      ))}
    </nav>
  );
}

let places: string[] = [];

/** A tab keeps its place for as long as it is there, whichever was opened last. */
function ordered(ids: string[]): string[] {
  const latest = holds
    .peek()
    .map((hold) => hold.session)
    .filter((id) => !places.includes(id));
  places = [...places, ...latest].filter((id) => ids.includes(id));
  return places;
}

function Tab({ id }: { id: string }) {
  const hold = useComputed(() => holds.value.find((each) => each.session === id));
  const title = useComputed(
    () => hold.value?.detail?.title ?? row(id).value?.title ?? hold.value?.detail?.project ?? id.slice(0, 8),
  );
  const status = useComputed(() => hold.value?.detail?.status ?? row(id).value?.status);
  const quiet = useComputed(() => Boolean(hold.value?.quiet)).value;
  useFarewell(useComputed(() => hold.value?.quiet === "cap").value, title);
  const note = useComputed(() => markOf(hold.value).short).value;
  const why = useComputed(() => markOf(hold.value).words).value;
  const active = useComputed(() => route.value.screen === "session" && route.value.id === id).value;
  return (
    <span
      class="tab"
      data-active={active}
      data-testid="opened-tab"
      data-session={id}
      data-quiet={quiet}
      data-noted={note !== undefined}
    >
      <a
        href={sessionHref(id)}
        aria-current={active ? "page" : undefined}
        title={note ? t("{title} ({why})", { title: unturned(title.value), why }) : title.value}
      >
        <span class="dot" data-status={quiet ? "ended" : status.value} aria-hidden="true" />
        <span class="clip">{title}</span>
        {note && <span class="tab-note">{note}</span>}
      </a>
      <button
        type="button"
        class="ghost"
        aria-label={t("Close {title}", { title: title.value })}
        onClick={() => {
          if (active) go("#/");
          closeSession(id);
        }}
      >
        <Icon name="close" />
      </button>
    </span>
  );
}

/** The tab alone is easily missed: the moment in which it happens is said once. */
function useFarewell(went: boolean, title: ReadonlySignal<string>): void {
  const before = useRef(went);
  useEffect(() => {
    if (went && !before.current)
      notify({
        level: "info",
        code: "quiet",
        message: t("“{title}” went quiet: at most {count} sessions are followed at once.", {
          title: unturned(title.peek()),
          count: SUBSCRIPTIONS,
        }),
      });
    before.current = went;
  }, [went]);
}
