import { useSignal } from "@preact/signals";
import { entryPath, get } from "../api";
import { bytes, clock, compact, dateTime, duration, unturned } from "../format";
import { Icon } from "../icons";
import type { Entry } from "../protocol";
import { Joined } from "../values";
import { outcomeOf, type TimelineRow } from "./timeline_rows";

interface LineProps {
  row: TimelineRow;
  open: boolean;
  atWork: boolean;
  toggle: (key: string) => void;
}

export function RowLine({ row, open, atWork, toggle }: LineProps) {
  const { start, end } = row;
  const outcome = outcomeOf(row, atWork);
  const took = end?.duration_ms ?? start.duration_ms;
  return (
    <button
      type="button"
      class="entry-line"
      aria-expanded={open}
      data-outcome={outcome}
      onClick={() => toggle(row.key)}
    >
      <time class="entry-time" title={dateTime(start.at)}>
        {clock(start.at)}
      </time>
      <Icon name={start.kind} />
      <span class="entry-name">{nameOf(start)}</span>
      {start.agent_id && (
        <span class="entry-agent" title={`subagent ${start.agent_id}`}>
          ⤷
        </span>
      )}
      <span class="entry-text" data-mono={start.kind === "tool" || start.kind === "error"}>
        {firstLine(start.text || end?.text)}
      </span>
      <span class="entry-end">
        {outcome === "failed" && <span class="entry-failed">{end?.status ?? start.status ?? "failed"}</span>}
        {outcome === "running" && <span class="entry-running">running</span>}
        {start.tokens != null && <span>{compact(start.tokens)}</span>}
        {took != null && <span>{duration(took)}</span>}
      </span>
    </button>
  );
}

/** A request of the agent is named by what it asks, not by the tool it asks for. */
function nameOf({ kind, tool, status }: Entry): string {
  return kind === "attention" ? (status ?? kind) : (tool ?? kind);
}

function firstLine(text: string | undefined): string {
  return unturned((text ?? "").trimStart().split("\n", 1)[0]!.slice(0, 300));
}

export function OpenRow({ session, row }: { session: string; row: TimelineRow }) {
  const parts = row.end ? [row.start, row.end] : [row.start];
  return (
    <div class="entry-body" tabIndex={0} role="region" aria-label="Entry">
      {parts.map((entry) => (
        <Text key={entry.id} session={session} entry={entry} />
      ))}
    </div>
  );
}

function Text({ session, entry }: { session: string; entry: Entry }) {
  const full = useSignal<string | null>(null);
  const load = async () => {
    const { body, words } = await get<{ text?: string }>(entryPath(session, entry.id));
    full.value = body?.text ?? words;
  };
  const text = full.value ?? entry.text ?? "";
  return (
    <div class="entry-part">
      <p class="entry-meta">
        <Joined parts={[dateTime(entry.at), entry.status, entry.agent_id && `subagent ${entry.agent_id}`]} />
      </p>
      {text ? <pre>{unturned(text)}</pre> : <p class="muted small">No text.</p>}
      {entry.full_bytes != null && full.value === null && (
        <button type="button" class="ghost" onClick={load}>
          Load all {bytes(entry.full_bytes)}
        </button>
      )}
    </div>
  );
}
