/** Whatever waits for a person, on every machine, oldest first. Needs no row of its session. */

import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useId, useRef } from "preact/hooks";
import { door } from "../door";
import { unturned } from "../format";
import { items, model } from "../live";
import { t } from "../messages";
import type { Item } from "../protocol";
import { sessionHref } from "../router";
import { isDrawn } from "../startup";
import { Joined } from "../values";
import { focusFirst, inboxWanted } from "./inbox_keys";
import { KindLine } from "./kind";
import { linger, type Shown } from "./linger";
import { named, placeOf, titleOf } from "./names";
import { outcomeWords } from "./outcome";

const SHOWN_MAX = 200;
/** More than fit on a screen. */
const FIRST_MAX = 12;

const Asked = door(async () => (await import("./asked")).Asked, "div");

export function Inbox() {
  const section = useRef<HTMLElement>(null);
  const open = items.value;
  const { shown, hand } = useShown();
  useSignalEffect(() => {
    if (!inboxWanted.value) return;
    inboxWanted.value = false;
    focusFirst(section.current!);
  });
  return (
    <section
      ref={section}
      class="panel inbox"
      tabIndex={-1}
      aria-label={t("Needs you")}
      data-some={shown.length > 0}
      data-testid="inbox"
    >
      <header class="panel-head">
        <h2>{t("Needs you")}</h2>
        <span class="count">{open.length || ""}</span>
      </header>
      {shown.length === 0 ? (
        <p class="empty small">{t("Nothing is waiting for a person.")}</p>
      ) : (
        <ol class="inbox-list" aria-label={t("Open items, oldest first")} {...hand}>
          {shown.slice(0, isDrawn.value ? SHOWN_MAX : FIRST_MAX).map(({ item, outcome }) => (
            <Row key={item.id} item={item} outcome={outcome} />
          ))}
          {shown.length > SHOWN_MAX && (
            <li class="empty small">{t("and {count} more", { count: shown.length - SHOWN_MAX })}</li>
          )}
        </ol>
      )}
    </section>
  );
}

/** The open items, and those that closed while a pointer or the focus is in the list. */
function useShown() {
  const over = useSignal(false);
  const within = useSignal(false);
  const before = useRef<readonly Shown[]>([]);
  const held = over.value || within.value;
  const shown = linger(before.current, items.value, held, model.attention.outcomes);
  before.current = shown;
  const hand = {
    onPointerEnter: () => (over.value = true),
    onPointerLeave: () => (over.value = false),
    // A click leaves the focus behind; only who goes by keyboard is still there by it.
    onFocusIn: ({ target }: FocusEvent) => (within.value = (target as Element).matches(":focus-visible")),
    onFocusOut: () => (within.value = false),
  };
  return { shown, hand };
}

function Row({ item, outcome }: Shown) {
  const isOpen = useSignal(false);
  const about = useId();
  const where = useComputed(() => named(item.session).value).value;
  return (
    <li
      class="inbox-item"
      data-testid="attention-item"
      data-kind={item.kind}
      data-session={item.session}
      data-closed={outcome !== undefined}
    >
      <button
        type="button"
        class="inbox-toggle"
        aria-expanded={isOpen.value}
        onClick={() => (isOpen.value = !isOpen.value)}
      >
        <span id={about}>
          <KindLine item={item} />
          {!isOpen.value && <span class="inbox-summary">{firstLine(item)}</span>}
        </span>
      </button>
      <a class="inbox-link" href={sessionHref(item.session)} aria-describedby={about}>
        <span class="inbox-title">{titleOf(where, item.session)}</span>
        <span class="place">
          <Joined parts={placeOf(where)} />
        </span>
      </a>
      {isOpen.value && <Asked item={item} />}
      {outcome !== undefined && (
        <span class="inbox-outcome" data-testid="attention-outcome">
          {outcomeWords(item, outcome)}
        </span>
      )}
    </li>
  );
}

const firstLine = ({ summary }: Item): string => unturned(summary.trim().split("\n", 1)[0]!);
