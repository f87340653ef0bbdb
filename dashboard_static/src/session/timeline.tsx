import { useComputed, useSignal, type Signal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import { t } from "../messages";
import { useEntries, type Entries } from "./entries";
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

/** What a timeline is made of, and how its rows are opened and found. */
function useTimeline({ id, hold, wanted }: Props, ready: boolean, show: () => void) {
  const entries = useEntries(id, hold);
  const groups = useSignal<ReadonlySet<Group>>(new Set());
  const opened = useSignal<ReadonlySet<string>>(new Set());
  const places = usePlaces(entries, groups.value, opened.value);
  const scroll = useScroll(places.shown, places.tops);
  const focused = useTimelineKeys(scroll, places.shown, places.tops);
  const open = (key: string, on: boolean) => {
    focused.value = key;
    // Whoever opens a row wants to read it, not to be carried on.
    scroll.following.value = false;
    opened.value = changed(opened.peek(), key, on);
  };
  const seek = useSeek(entries, wanted, ready, (row) => {
    if (narrowed([row], groups.peek()).length === 0) groups.value = new Set();
    open(row.key, true);
    scroll.bring(row.start.seq);
    show();
  });
  // The same function for as long as the timeline is there: a row is drawn again for nothing else.
  const toggle = useRef((row: TimelineRow) => open(row.key, !opened.peek().has(row.key))).current;
  return { entries, groups, opened, scroll, focused, seek, toggle, ...places };
}

export function Timeline(props: Props) {
  const { id, hold } = props;
  const section = useRef<HTMLElement>(null);
  const ready = useComputed(() => Boolean(hold.value?.detail)).value;
  const told = useTimeline(props, ready, () => section.current!.scrollIntoView({ block: "nearest" }));
  const { rows, shown, head, scroll } = told;
  const printing = usePrinting();
  const status = useField(hold, "status");
  return (
    <section
      ref={section}
      class="panel timeline-panel"
      data-testid="timeline"
      aria-label={t("Timeline")}
      data-following={scroll.following.value}
    >
      <TimelineHead
        counts={told.counts}
        groups={told.groups}
        scroll={scroll}
        rows={shown}
        partial={useField(hold, "timeline_partial") ?? false}
        words={told.seek.words.value}
      />
      <div
        ref={scroll.scroller}
        class="timeline-scroller"
        tabIndex={0}
        role="region"
        aria-label={t("Timeline entries, newest last; arrow keys move through them")}
      >
        {head > 0 && <Older entries={told.entries} />}
        <Rows session={id} told={told} atWork={status === "running" || status === "waiting"} />
        {shown.length === 0 && <p class="empty small">{emptyWords(ready, rows.length > 0)}</p>}
      </div>
      {printing.value && <PrintedRows rows={shown} />}
    </section>
  );
}

interface RowsProps {
  session: string;
  told: ReturnType<typeof useTimeline>;
  atWork: boolean;
}

function Rows({ session, told: { shown, tops, head, scroll, focused, opened, seek, toggle }, atWork }: RowsProps) {
  return (
    <div class="sizer" role="list" style={{ height: `${tops.at(-1)! - head}px` }}>
      {drawn(shown, tops, scroll.view.value, focused.value).map(([row, place]) => (
        <TimelineEntry
          key={row.key}
          session={session}
          row={row}
          top={tops[place]! - head}
          open={opened.value.has(row.key)}
          marked={seek.found.value === row.key}
          current={focused.value === row.key}
          atWork={atWork}
          toggle={toggle}
        />
      ))}
    </div>
  );
}

function usePlaces(entries: Entries, groups: ReadonlySet<Group>, opened: ReadonlySet<string>) {
  const all = entries.all.value;
  const rows = useMemo(() => timelineRows(all), [all]);
  const shown = useMemo(() => narrowed(rows, groups), [rows, groups]);
  const counts = useMemo(() => counted(rows), [rows]);
  const head = entries.hasOlder.value ? OLDER_PX : 0;
  const tops = useMemo(() => offsets(shown, opened, head), [shown, opened, head]);
  return { rows, shown, counts, head, tops };
}

function changed(opened: ReadonlySet<string>, key: string, on: boolean): ReadonlySet<string> {
  const next = new Set(opened);
  if (on) next.add(key);
  else next.delete(key);
  return next;
}

/** The rows in view, each with its place. What has the focus is never taken away under it. */
function drawn(
  shown: readonly TimelineRow[],
  tops: readonly number[],
  { top, height }: { top: number; height: number },
  focused: string | null,
): (readonly [TimelineRow, number])[] {
  const first = rowAt(tops, top - SPARE_PX);
  const end = shown.length === 0 ? 0 : rowAt(tops, top + height + SPARE_PX) + 1;
  const told = shown.slice(first, end).map((row, place) => [row, first + place] as const);
  const at = shown.findIndex((row) => row.key === focused);
  if (at >= 0 && (at < first || at >= end)) told.push([shown[at]!, at]);
  return told;
}

function emptyWords(ready: boolean, hasOthers: boolean): string {
  if (!ready) return t("Catching up…");
  return hasOthers ? t("Nothing of this kind is here.") : t("Nothing has happened yet.");
}
