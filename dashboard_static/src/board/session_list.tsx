import { signal, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { FULL } from "../closes";
import { loaded, filter, shown } from "../live";
import { connection, link } from "../hub";
import { listKeys } from "../keys";
import { narrow } from "../media";
import { go, sessionHref } from "../router";
import { more, showMore } from "../view";
import { reveal, VirtualRows } from "../virtual";
import { isFilter } from "./filter";
import { rowId, SessionRow } from "./session_row";

const COLUMNS = ["Status", "Session", "Tool", "Objectives", "Tokens", "Cost", "Context", "Updated"];

/** Kept while a session is open, so that Esc leads back to the row one came from. */
export const selected = signal<string | null>(null);

export function SessionList() {
  const scroller = useRef<HTMLDivElement>(null);
  const rowHeight = narrow.value ? 88 : 52;
  const ids = shown.value;
  const at = selected.value === null ? -1 : ids.indexOf(selected.value);
  const focused = useSignal(false);
  useEffect(() => {
    const own = (key: string) => move(key, scroller.current!, rowHeight);
    listKeys.current = own;
    return () => {
      // The list that comes after this one may be there already.
      if (listKeys.current === own) listKeys.current = null;
    };
  }, [rowHeight]);
  useEffect(() => {
    if (at >= 0) reveal(scroller.current!, at, rowHeight);
  }, []);
  useSignalEffect(() => {
    filter.value;
    if (scroller.current) scroller.current.scrollTop = 0;
  });
  return (
    <div
      class="grid"
      role="grid"
      aria-label="Sessions"
      aria-rowcount={ids.length + 1}
      aria-colcount={COLUMNS.length}
      tabIndex={0}
      aria-activedescendant={at >= 0 ? rowId(selected.value!) : undefined}
      onFocus={() => (focused.value = true)}
      onBlur={() => (focused.value = false)}
    >
      <div class="grid-head" role="rowgroup">
        <div class="columns" role="row" aria-rowindex={1}>
          {COLUMNS.map((name) => (
            <span key={name} role="columnheader" data-column={name.toLowerCase()}>
              {name}
            </span>
          ))}
        </div>
      </div>
      <div ref={scroller} class="scroller" role="rowgroup" onScroll={nearEnd}>
        <VirtualRows
          scroller={scroller}
          count={ids.length}
          rowHeight={rowHeight}
          row={(index, top) => (
            <SessionRow key={ids[index]} id={ids[index]!} at={index} top={top} selected={index === at} />
          )}
        />
        {ids.length === 0 && <Empty />}
      </div>
    </div>
  );
}

function nearEnd(event: Event): void {
  const { scrollTop, clientHeight, scrollHeight } = event.currentTarget as HTMLElement;
  if (more.peek() && scrollHeight - scrollTop - clientHeight < 400) showMore();
}

function move(key: string, scroller: HTMLElement, rowHeight: number): boolean {
  const ids = shown.peek();
  if (ids.length === 0) return false;
  const at = selected.peek() === null ? -1 : ids.indexOf(selected.peek()!);
  if (key === "Enter") {
    if (at < 0) return false;
    go(sessionHref(ids[at]!));
    return true;
  }
  const page = Math.max(1, Math.floor(scroller.clientHeight / rowHeight) - 1);
  const steps: Record<string, number> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    PageDown: at + page,
    PageUp: at - page,
    Home: 0,
    First: 0,
    End: ids.length - 1,
  };
  const to = steps[key];
  if (to === undefined) return false;
  const index = Math.min(Math.max(to, 0), ids.length - 1);
  selected.value = ids[index]!;
  reveal(scroller, index, rowHeight);
  return true;
}

function Empty() {
  if (!loaded.value) return <p class="empty">{waitingWords()}</p>;
  if (isFilter(filter.value)) {
    return <p class="empty">No session matches this filter.</p>;
  }
  return (
    <div class="welcome" data-testid="empty">
      <h2>No sessions yet</h2>
      <p>Start an agent in any folder: it appears here by itself.</p>
      <dl>
        <dt>
          <code>tower hooks install</code>
        </dt>
        <dd>shows status and open questions within milliseconds.</dd>
        <dt>
          <code>tower replay PATH</code>
        </dt>
        <dd>plays recorded transcripts as if they happened now.</dd>
      </dl>
    </div>
  );
}

function waitingWords(): string {
  if (connection.value !== "offline") return "Reading the board…";
  if (link.value.code === FULL) return "The board is full: no more browsers can watch it. Trying again.";
  return "The tower cannot be reached. Trying again.";
}
