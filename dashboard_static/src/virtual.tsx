/** A list that draws only the rows in view. Heights are known beforehand, so nothing is measured. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren, Ref } from "preact";
import { useLayoutEffect } from "preact/hooks";

export interface Place {
  first: number;
  last: number;
}

/** The rows between two heights, a few more on each side, so that a fast scroll shows no gap. */
export function placesInView(
  top: number,
  height: number,
  rowHeight: number,
  count: number,
  spare = 6,
): Place {
  const first = Math.max(0, Math.floor(top / rowHeight) - spare);
  const last = Math.min(count, Math.ceil((top + height) / rowHeight) + spare);
  return { first: Math.min(first, last), last };
}

interface Props {
  scroller: { current: HTMLDivElement | null };
  count: number;
  rowHeight: number;
  row: (at: number, top: number) => ComponentChildren;
  sizerRef?: Ref<HTMLDivElement>;
}

/** Goes inside the scrolling element, whose ref it is given. */
export function VirtualRows({ scroller, count, rowHeight, row, sizerRef }: Props) {
  const top = useSignal(0);
  const height = useSignal(800);
  useLayoutEffect(() => {
    const element = scroller.current!;
    // A step at a time: scrolling inside one row changes nothing that is drawn.
    const scrolled = () => {
      top.value = Math.floor(element.scrollTop / rowHeight) * rowHeight;
    };
    const resized = new ResizeObserver(() => {
      height.value = element.clientHeight + rowHeight;
    });
    element.addEventListener("scroll", scrolled, { passive: true });
    resized.observe(element);
    height.value = element.clientHeight + rowHeight;
    scrolled();
    return () => {
      element.removeEventListener("scroll", scrolled);
      resized.disconnect();
    };
  }, [rowHeight]);
  const { first, last } = placesInView(top.value, height.value, rowHeight, count);
  const rows: ComponentChildren[] = [];
  for (let at = first; at < last; at++) rows.push(row(at, at * rowHeight));
  return (
    <div ref={sizerRef} class="sizer" role="presentation" style={{ height: `${count * rowHeight}px` }}>
      {rows}
    </div>
  );
}

/** Brings a row into view with the least movement. */
export function reveal(element: HTMLElement, at: number, rowHeight: number): void {
  const top = at * rowHeight;
  if (top < element.scrollTop) element.scrollTop = top;
  else if (top + rowHeight > element.scrollTop + element.clientHeight)
    element.scrollTop = top + rowHeight - element.clientHeight;
}
