/** The timeline by keyboard: arrows move through its rows, Enter opens one, f follows the end. */

import { useSignal, type Signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useListKeys } from "../keys";
import { rowAt, type TimelineRow } from "./timeline_rows";
import type { Scroll } from "./timeline_scroll";

const STEPS: Record<string, number> = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity };

export function useTimelineKeys(
  scroll: Scroll,
  rows: readonly TimelineRow[],
  tops: readonly number[],
): Signal<string | null> {
  const current = useSignal<string | null>(null);
  const wantsFocus = useRef(false);
  const drawn = useRef({ rows, tops });
  drawn.current = { rows, tops };

  useListKeys((key) => {
    const element = scroll.scroller.current!;
    if (key === "f") {
      if (scroll.following.peek()) scroll.following.value = false;
      else scroll.follow();
      return true;
    }
    const step = STEPS[key];
    const active = document.activeElement;
    // Within an opened row the same keys scroll its text.
    const isHere = active === element || (active?.matches(".entry-line") && element.contains(active));
    if (step === undefined || !isHere) return false;
    const { rows, tops } = drawn.current;
    const held = rows.findIndex((row) => row.key === current.peek());
    const from = held >= 0 ? held + step : startOf(tops, scroll, step);
    const at = Math.min(rows.length - 1, Math.max(0, from));
    if (at < 0) return false;
    current.value = rows[at]!.key;
    wantsFocus.current = true;
    scroll.reveal(tops[at]!, tops[at + 1]!);
    return true;
  });
  // Read here, so that the focus follows as soon as its row is drawn.
  const wanted = current.value;
  useLayoutEffect(() => {
    if (!wantsFocus.current || wanted === null) return;
    wantsFocus.current = false;
    scroll.scroller.current!.querySelector<HTMLElement>(".entry-line[tabindex='0']")?.focus({ preventScroll: true });
  });
  return current;
}

/** Nowhere yet: upwards from the last row in view, downwards from the first. */
function startOf(tops: readonly number[], { view }: Scroll, step: number): number {
  const { top, height } = view.peek();
  if (!Number.isFinite(step)) return step;
  return step < 0 ? rowAt(tops, top + height - 1) : rowAt(tops, top);
}
