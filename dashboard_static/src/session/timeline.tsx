import { useComputed, useSignal, type Signal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import { t } from "../messages";
import { useEntries } from "./entries";
import { useField, type HoldSignal } from "./field";
import { useSeek } from "./seek";
import { useTimelineKeys } from "./timeline_focus";
import { TimelineHead } from "./timeline_head";
import { counted, narrowed, type Group } from "./timeline_kinds";
import { Older, OLDER_PX } from "./timeline_older";
import { PrintedRows, usePrinting } from "./timeline_print";
import { offsets, rowAt, timelineRows, type TimelineRow } from "./timeline_rows";
import { useScroll } from "./timeline_scroll";
import { TimelineEntry } from "./timeline_row";

const SPARE_PX = 240;

/** The entry that somebody wants to see, by its `seq`. A new object is a new wish. */
export interface Wanted {
  seq: number | null;
}

interface Props {
  id: string;
  hold: HoldSignal;
  wanted: Signal<Wanted>;
}

export function Timeline({ id, hold, wanted }: Props) {
  const entries = useEntries(id, hold);
  const groups = useSignal<ReadonlySet<Group>>(new Set());
  const opened = useSignal<ReadonlySet<string>>(new Set());
  const printing = usePrinting();
  const status = useField(hold, "status");
  const ready = useComputed(() => Boolean(hold.value?.detail)).value;

  const all = entries.all.value;
  const rows = useMemo(() => timelineRows(all), [all]);
  const shown = useMemo(() => narrowed(rows, groups.value), [rows, groups.value]);
  const counts = useMemo(() => counted(rows), [rows]);
  const head = entries.hasOlder.value ? OLDER_PX : 0;
  const tops = useMemo(() => offsets(shown, opened.value, head), [shown, opened.value, head]);
  const scroll = useScroll(shown, tops);
  const section = useRef<HTMLElement>(null);
  const { following, view, scroller } = scroll;

  const keys = useTimelineKeys(scroll, shown, tops);
  const open = (key: string, on: boolean) => {
    const next = new Set(opened.peek());
    if (on) next.add(key);
    else next.delete(key);
    // Whoever opens a row wants to read it, not to be carried on.
    following.value = false;
    opened.value = next;
  };
  const seek = useSeek(entries, wanted, ready, (row) => {
    if (narrowed([row], groups.peek()).length === 0) groups.value = new Set();
    keys.current.value = row.key;
    open(row.key, true);
    scroll.bring(row.start.seq);
    section.current!.scrollIntoView({ block: "nearest" });
  });
  const toggle = useRef<(row: TimelineRow) => void>(() => {});
  toggle.current = (row) => {
    keys.current.value = row.key;
    open(row.key, !opened.peek().has(row.key));
  };

  const first = rowAt(tops, view.value.top - SPARE_PX);
  const end = shown.length === 0 ? 0 : rowAt(tops, view.value.top + view.value.height + SPARE_PX) + 1;
  const focused = shown.findIndex((row) => row.key === keys.current.value);
  const drawn = shown.slice(first, end).map((row, place) => [row, first + place] as const);
  // What has the focus is never taken away under it.
  if (focused >= 0 && (focused < first || focused >= end)) drawn.push([shown[focused]!, focused]);
  const isTold = useRef((row: TimelineRow) => toggle.current(row)).current;
  return (
    <section
      ref={section}
      class="panel timeline-panel"
      data-testid="timeline"
      aria-label={t("Timeline")}
      data-following={following.value}
    >
      <TimelineHead
        counts={counts}
        groups={groups}
        scroll={scroll}
        rows={shown}
        partial={useField(hold, "timeline_partial") ?? false}
        words={seek.words.value}
      />
      <div
        ref={scroller}
        class="timeline-scroller"
        tabIndex={0}
        role="region"
        aria-label={t("Timeline entries, newest last; arrow keys move through them")}
      >
        {head > 0 && <Older entries={entries} />}
        <div class="sizer" role="list" style={{ height: `${tops.at(-1)! - head}px` }}>
          {drawn.map(([row, place]) => (
            <TimelineEntry
              key={row.key}
              session={id}
              row={row}
              top={tops[place]! - head}
              open={opened.value.has(row.key)}
              marked={seek.found.value === row.key}
              current={keys.current.value === row.key}
              atWork={status === "running" || status === "waiting"}
              toggle={isTold}
            />
          ))}
        </div>
        {shown.length === 0 && <p class="empty small">{emptyWords(ready, rows.length > 0)}</p>}
      </div>
      {printing.value && <PrintedRows rows={shown} />}
    </section>
  );
}

function emptyWords(ready: boolean, hasOthers: boolean): string {
  if (!ready) return t("Catching up…");
  return hasOthers ? t("Nothing of this kind is here.") : t("Nothing has happened yet.");
}
