/** Long texts and edits: whole, but the far end of very long ones waits for a click. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { exact } from "../format";
import { t } from "../messages";
import type { Line } from "./diff";
import { plain } from "./request";

const LINES_MAX = 200;
const SIGNS_MAX = 16_000;

/** A text as it is, in the letters of a terminal. `words` name it for those who only hear it. */
export function Texts({ text, words }: { text: string; words?: string }) {
  const lines = text.split("\n");
  return (
    <Long count={lines.length} size={text.length}>
      {(shown) => (
        <pre class="asked-text" aria-label={words} role={words ? "group" : undefined}>
          {plain(shown === null ? text : lines.slice(0, shown).join("\n").slice(0, SIGNS_MAX))}
        </pre>
      )}
    </Long>
  );
}

export function Edits({ edits }: { edits: readonly (readonly Line[])[] }) {
  return (
    <>
      {edits.map((lines, at) => (
        <Edit key={at} lines={lines} words={t("Edit {number} of {count}", { number: at + 1, count: edits.length })} />
      ))}
    </>
  );
}

/** The sign stands before each line, so that nothing is told by its colour alone. */
function Edit({ lines, words }: { lines: readonly Line[]; words: string }) {
  return (
    <Long count={lines.length} size={lines.reduce((sum, { text }) => sum + text.length, 0)}>
      {(shown) => (
        <pre class="diff" role="group" aria-label={words} data-testid="diff">
          {within(lines, shown).map(({ sign, text }, at) => (
            <span key={at} class="diff-line" data-sign={sign}>
              <span class="diff-sign">{sign === "-" ? "−" : sign}</span>
              <span class="diff-text">{plain(text)}</span>
            </span>
          ))}
        </pre>
      )}
    </Long>
  );
}

function within(lines: readonly Line[], shown: number | null): readonly Line[] {
  if (shown === null) return lines;
  let left = SIGNS_MAX;
  const kept: Line[] = [];
  for (const { sign, text } of lines.slice(0, shown)) {
    if (left <= 0) break;
    kept.push({ sign, text: text.slice(0, left) });
    left -= text.length;
  }
  return kept;
}

interface LongProps {
  count: number;
  size: number;
  /** Drawn with the most lines that are to be shown, or null for all. */
  children: (shown: number | null) => ComponentChildren;
}

function Long({ count, size, children }: LongProps) {
  const whole = useSignal(count <= LINES_MAX && size <= SIGNS_MAX);
  if (whole.value) return <>{children(null)}</>;
  return (
    <>
      {children(LINES_MAX)}
      <button type="button" class="ghost asked-more" onClick={() => (whole.value = true)}>
        {count > 1
          ? t("Show all {count} lines", { count: exact(count) })
          : t("Show the rest of the line")}
      </button>
    </>
  );
}
