import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { entryPath, get } from "../api";
import { bytes, clock, compact, dateTime, duration, unturned } from "../format";
import { Icon } from "../icons";
import { t } from "../messages";
import type { Entry } from "../protocol";
import { entryHref } from "../router";
import { Joined } from "../values";
import { Copy } from "./copy";
import { kindWords, statusWords } from "./timeline_kinds";
import { heightOf, outcomeOf, type TimelineRow } from "./timeline_rows";

interface Props {
  session: string;
  row: TimelineRow;
  top: number;
  open: boolean;
  /** Whether the address leads here. */
  marked: boolean;
  /** The one that Tab leads to. */
  current: boolean;
  atWork: boolean;
  toggle: (row: TimelineRow) => void;
}

/** Drawn again where something of it has changed, and not because others were added. */
export function TimelineEntry({ session, row, top, open, marked, current, atWork, toggle }: Props) {
  const outcome = outcomeOf(row, atWork);
  return useMemo(
    () => (
      <div
        class="entry"
        role="listitem"
        data-testid="timeline-row"
        data-kind={row.start.kind}
        data-seq={row.start.seq}
        data-open={open}
        data-marked={marked}
        style={{ transform: `translateY(${top}px)`, height: `${heightOf(row, open)}px` }}
      >
        <button
          type="button"
          class="entry-line"
          tabIndex={current ? 0 : -1}
          aria-expanded={open}
          data-outcome={outcome}
          onClick={() => toggle(row)}
        >
          <Line row={row} outcome={outcome} />
        </button>
        {open && <OpenRow session={session} row={row} />}
      </div>
    ),
    [row, top, open, marked, current, outcome],
  );
}

export function Line({ row: { start, end }, outcome }: { row: TimelineRow; outcome: string }) {
  const took = end?.duration_ms ?? start.duration_ms;
  return (
    <>
      <time class="entry-time" title={dateTime(start.at)}>
        {clock(start.at)}
      </time>
      <Icon name={start.kind} />
      <span class="entry-name">{nameOf(start)}</span>
      {start.agent_id && (
        <span class="entry-agent" title={t("subagent {id}", { id: start.agent_id })}>
          ⤷
        </span>
      )}
      <span class="entry-text" data-mono={start.kind === "tool" || start.kind === "error"}>
        {firstLine(start.text || end?.text)}
      </span>
      <span class="entry-end">
        {outcome === "failed" && <span class="entry-failed">{failedWords(end?.status ?? start.status)}</span>}
        {outcome === "running" && <span class="entry-running">{t("running")}</span>}
        {start.tokens != null && <span>{compact(start.tokens)}</span>}
        {took != null && <span>{duration(took)}</span>}
      </span>
    </>
  );
}

/** A request of the agent is named by what it asks, not by the tool it asks for. */
function nameOf({ kind, tool, status }: Entry): string {
  if (kind === "attention" && status) return statusWords(status);
  return tool ?? kindWords(kind);
}

const failedWords = (status: string | null | undefined): string => (status ? statusWords(status) : t("failed"));

function firstLine(text: string | undefined): string {
  return unturned((text ?? "").trimStart().split("\n", 1)[0]!.slice(0, 300));
}

function OpenRow({ session, row }: { session: string; row: TimelineRow }) {
  const parts = row.end ? [row.start, row.end] : [row.start];
  return (
    <div class="entry-body" tabIndex={0} role="region" aria-label={t("Entry")}>
      {parts.map((entry) => (
        <Text key={entry.id} session={session} entry={entry} />
      ))}
    </div>
  );
}

function Text({ session, entry }: { session: string; entry: Entry }) {
  const full = useSignal<string | null>(null);
  const failure = useSignal("");
  const load = async () => {
    const { body, words } = await get<{ text?: string; whole?: boolean }>(entryPath(session, entry.id));
    full.value = body?.whole === false ? null : (body?.text ?? null);
    // What is recorded is recorded a moment after it is shown.
    failure.value = body?.whole === false ? t("The whole text is not recorded yet, or was never told.") : words;
  };
  const text = unturned(full.value ?? entry.text ?? "");
  const facts = [
    dateTime(entry.at),
    entry.status && statusWords(entry.status),
    entry.agent_id && t("subagent {id}", { id: entry.agent_id }),
  ];
  return (
    <div class="entry-part">
      <p class="entry-meta">
        <Joined parts={facts} />
        <a class="ghost" href={entryHref(session, entry.seq)} data-testid="entry-link">
          {t("Link")}
        </a>
        {text && <Copy text={text} />}
      </p>
      {text ? <pre>{text}</pre> : <p class="muted small">{t("No text.")}</p>}
      {entry.full_bytes != null && full.value === null && (
        <button type="button" class="ghost" onClick={load}>
          {t("Load all {size}", { size: bytes(entry.full_bytes) })}
        </button>
      )}
      {failure.value && <p role="alert">{failure}</p>}
    </div>
  );
}
