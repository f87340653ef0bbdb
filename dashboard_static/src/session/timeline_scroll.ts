/**
 * Where a timeline is scrolled to: at its end, which it follows, or at a row, which then stays where
 * it is whatever is added, loaded or left out around it.
 */

import { useSignal, type Signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { rowAt, type TimelineRow } from "./timeline_rows";

const NEAR_END_PX = 24;
/** How far below the upper edge a row stands that was asked for. */
const ABOVE_PX = 60;

export interface Scroll {
  scroller: { current: HTMLDivElement | null };
  view: Signal<{ top: number; height: number }>;
  following: Signal<boolean>;
  follow: () => void;
  /** Puts the row of a `seq` into view as soon as it is drawn. */
  bring: (seq: number) => void;
  /** The least movement that shows what is between two heights. */
  reveal: (top: number, bottom: number) => void;
}

interface Anchor {
  seq: number;
  offset: number;
}

export function useScroll(rows: readonly TimelineRow[], tops: readonly number[]): Scroll {
  const scroller = useRef<HTMLDivElement>(null);
  const view = useSignal({ top: 0, height: 600 });
  const following = useSignal(true);
  const anchor = useRef<Anchor | null>(null);
  const placed = useRef<readonly number[] | null>(null);
  const drawn = useRef({ rows, tops });
  drawn.current = { rows, tops };
  const look = () => {
    const { scrollTop, clientHeight } = scroller.current!;
    const { rows, tops } = drawn.current;
    const at = rowAt(tops, scrollTop);
    anchor.current = rows[at] ? { seq: rows[at].start.seq, offset: scrollTop - tops[at]! } : null;
    const before = view.peek();
    if (before.top !== scrollTop || before.height !== clientHeight)
      view.value = { top: scrollTop, height: clientHeight };
  };
  useMoves(scroller, following, look);
  useLayoutEffect(() => {
    if (placed.current === tops) return;
    placed.current = tops;
    const top = following.peek() ? tops.at(-1)! : anchor.current && topAt(anchor.current, rows, tops);
    if (top !== null) scroller.current!.scrollTop = top;
    look();
  });
  const to = (top: number) => {
    scroller.current!.scrollTop = top;
    look();
  };
  return {
    scroller,
    view,
    following,
    follow() {
      following.value = true;
      to(scroller.current!.scrollHeight);
    },
    bring(seq) {
      following.value = false;
      anchor.current = { seq, offset: -ABOVE_PX };
      placed.current = null;
    },
    reveal(top, bottom) {
      following.value = false;
      const { scrollTop, clientHeight } = scroller.current!;
      if (top < scrollTop) to(top);
      else if (bottom > scrollTop + clientHeight) to(bottom - clientHeight);
    },
  };
}

/** Where to scroll to, so that the row stands where it stood; null where it is not there any more. */
function topAt({ seq, offset }: Anchor, rows: readonly TimelineRow[], tops: readonly number[]): number | null {
  const at = rows.findIndex(({ start }) => start.seq >= seq);
  return at < 0 ? null : tops[at]! + (rows[at]!.start.seq === seq ? offset : 0);
}

/** What a person scrolls, and what another height does. */
function useMoves(scroller: Scroll["scroller"], following: Signal<boolean>, look: () => void): void {
  useLayoutEffect(() => {
    const element = scroller.current!;
    const scrolled = () => {
      look();
      following.value = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX;
    };
    const resized = new ResizeObserver(() => {
      if (following.peek()) element.scrollTop = element.scrollHeight;
      look();
    });
    element.addEventListener("scroll", scrolled, { passive: true });
    resized.observe(element);
    return () => {
      element.removeEventListener("scroll", scrolled);
      resized.disconnect();
    };
  }, []);
}
