/** Ages. Each is a text node of its own: a second passing redraws no row, only texts that differ. */

import { useComputed } from "@preact/signals";
import { now } from "./clock";
import { dateTime, duration, isoTime, span, unknown } from "./format";

export function Ago({ at }: { at: number | null | undefined }) {
  return at == null ? null : <Ticking key={at} at={at} format={span} />;
}

export function Elapsed({ from, to }: { from: number | null; to: number | null }) {
  if (from === null) return <span class="unknown">{unknown()}</span>;
  if (to !== null) return <span title={dateTime(from)}>{duration(to - from)}</span>;
  return <Ticking key={from} at={from} format={duration} />;
}

/** The whole moment is written for whoever points at it: a screen full of them would be late by it. */
function Ticking({ at, format }: { at: number; format: (ms: number) => string }) {
  const text = useComputed(() => format(Math.max(0, now.value - at)));
  return (
    <time
      dateTime={isoTime(at)}
      onPointerEnter={({ currentTarget }) => (currentTarget.title = dateTime(at))}
    >
      {text}
    </time>
  );
}
