import { useComputed, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "../icons";
import { useField, type HoldSignal } from "./field";
import { heightOf, offsets, rowAt, timelineRows } from "./timeline_rows";
import { OpenRow, RowLine } from "./timeline_row";

const NEAR_END_PX = 24;
const SPARE_PX = 240;

interface Props {
  id: string;
  hold: HoldSignal;
  /** The `seq` of the entry that the address names. */
  wanted: number | null;
}

export function Timeline({ id, hold, wanted: _wanted }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const view = useSignal({ top: 0, height: 600 });
  const opened = useSignal<ReadonlySet<string>>(new Set());
  const following = useSignal(true);
  const seen = useRef(0);

  const rows = timelineRows(useField(hold, "timeline") ?? []);
  const status = useField(hold, "status");
  const partial = useField(hold, "timeline_partial");
  const ready = useComputed(() => Boolean(hold.value?.detail)).value;
  const tops = offsets(rows, opened.value);
  const total = tops.at(-1)!;
  const last = rows.at(-1)?.start.seq ?? 0;

  useLayoutEffect(() => {
    const element = scroller.current!;
    const look = () => {
      view.value = { top: element.scrollTop, height: element.clientHeight };
      following.value = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX;
    };
    const resized = new ResizeObserver(() => {
      if (following.peek()) element.scrollTop = element.scrollHeight;
      view.value = { top: element.scrollTop, height: element.clientHeight };
    });
    element.addEventListener("scroll", look, { passive: true });
    resized.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      resized.disconnect();
    };
  }, []);
  useLayoutEffect(() => {
    if (following.peek()) scroller.current!.scrollTop = total;
  }, [total, last]);

  if (following.value) seen.current = last;
  const news = rows.filter((row) => row.start.seq > seen.current).length;
  const first = rowAt(tops, view.value.top - SPARE_PX);
  const end = rows.length === 0 ? 0 : rowAt(tops, view.value.top + view.value.height + SPARE_PX) + 1;
  const toggle = (key: string) => {
    const next = new Set(opened.peek());
    if (!next.delete(key)) next.add(key);
    // Whoever opens a row wants to read it, not to be carried on.
    following.value = false;
    opened.value = next;
  };
  const follow = () => {
    following.value = true;
    scroller.current!.scrollTop = scroller.current!.scrollHeight;
  };
  return (
    <section
      class="panel timeline-panel"
      data-testid="timeline"
      aria-label="Timeline"
      data-following={following.value}
    >
      <header class="panel-head">
        <h2>Timeline</h2>
        <span class="panel-aside">
          {partial && (
            <span class="uncertain" title="Older entries could not be read.">
              incomplete
            </span>
          )}
          <button
            type="button"
            class="ghost follow"
            aria-pressed={following.value}
            onClick={() => (following.value ? (following.value = false) : follow())}
          >
            {following.value ? "Following" : news > 0 ? `${news} new` : "Paused"}
            <Icon name="down" />
          </button>
        </span>
      </header>
      <div
        ref={scroller}
        class="timeline-scroller"
        tabIndex={0}
        role="region"
        aria-label="Timeline entries, newest last"
      >
        <div class="sizer" role="list" style={{ height: `${total}px` }}>
          {rows.slice(first, end).map((row, place) => {
            const open = opened.value.has(row.key);
            return (
              <div
                key={row.key}
                class="entry"
                role="listitem"
                data-testid="timeline-row"
                data-kind={row.start.kind}
                data-open={open}
                style={{
                  transform: `translateY(${tops[first + place]}px)`,
                  height: `${heightOf(row, open)}px`,
                }}
              >
                <RowLine
                  row={row}
                  open={open}
                  atWork={status === "running" || status === "waiting"}
                  toggle={toggle}
                />
                {open && <OpenRow session={id} row={row} />}
              </div>
            );
          })}
        </div>
        {rows.length === 0 && (
          <p class="empty small">{ready ? "Nothing has happened yet." : "Catching up…"}</p>
        )}
      </div>
    </section>
  );
}
