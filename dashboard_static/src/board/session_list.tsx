import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { useListKeys } from "../keys";
import { t } from "../messages";
import { narrow } from "../media";
import { more, showMore } from "../view";
import { isHead, reveal, VirtualRows, type Places } from "../virtual";
import { density, sort } from "./choices";
import { COLUMN_COUNT, ColumnHeads } from "./columns";
import { GroupHead } from "./group_head";
import { filter, layout } from "./layout";
import { pressed } from "./list_keys";
import { Nothing } from "./nothing";
import { rowId } from "./row_id";
import { noteScroll } from "./scrolled";
import { selected } from "./selected";
import { SessionRow } from "./session_row";

const HEIGHTS = { comfortable: 52, compact: 32 };
const NARROW_HEIGHT = 88;
const HEAD_HEIGHT = 34;
const NEAR_END_PX = 400;

function placesNow(): Places {
  const { entries, heads } = layout.value;
  const rowHeight = narrow.value ? NARROW_HEIGHT : HEIGHTS[density.value];
  return { count: entries.length, heads, rowHeight, headHeight: HEAD_HEIGHT };
}

export function SessionList() {
  const scroller = useRef<HTMLDivElement>(null);
  const places = placesNow();
  const { entries } = layout.value;
  const at = selected.value === null ? -1 : entries.indexOf(selected.value);
  const focused = useSignal(false);
  useListKeys((key) => scroller.current !== null && pressed(key, scroller.current, placesNow), useLayoutEffect);
  useEffect(() => {
    if (at >= 0) reveal(scroller.current!, places, at);
  }, [places.rowHeight]);
  const isNew = useRef(true);
  useSignalEffect(() => {
    filter.value;
    sort.value;
    if (!isNew.current) scroller.current!.scrollTop = 0;
    isNew.current = false;
  });
  return (
    <div
      class="grid"
      role="grid"
      aria-label={t("Sessions")}
      aria-rowcount={entries.length + 1}
      aria-colcount={COLUMN_COUNT}
      tabIndex={0}
      aria-activedescendant={at >= 0 ? rowId(selected.value!) : undefined}
      data-density={narrow.value ? "comfortable" : density.value}
      onFocus={() => (focused.value = true)}
      onBlur={() => (focused.value = false)}
    >
      <ColumnHeads />
      <div ref={scroller} class="scroller" role="rowgroup" onScroll={scrolled}>
        <VirtualRows
          scroller={scroller}
          places={places}
          row={(index, top) => {
            const id = entries[index]!;
            const Entry = isHead(places, index) ? GroupHead : SessionRow;
            return <Entry key={id} id={id} at={index} top={top} selected={index === at} />;
          }}
        />
        {entries.length === 0 && <Nothing />}
      </div>
    </div>
  );
}

function scrolled(event: Event): void {
  noteScroll(performance.now());
  const { scrollTop, clientHeight, scrollHeight } = event.currentTarget as HTMLElement;
  if (more.peek() && scrollHeight - scrollTop - clientHeight < NEAR_END_PX) showMore();
}
