/** Made-up records for the tests; every field may be overridden. */

import type { Detail, FrameOf, Item, Summary, Totals } from "../src/protocol";

export function summary(id: string, change: Partial<Summary> = {}): Summary {
  return {
    id,
    agent: "claude-code",
    workspace: "default",
    host: null,
    user: null,
    project: "ledger",
    cwd: "/src/ledger",
    branch: "main",
    title: `Session ${id}`,
    model: null,
    phase: null,
    event_id: null,
    status: "idle",
    status_since: 1000,
    current_tool: null,
    attention: 0,
    started_at: 1000,
    updated_at: 1000,
    ended_at: null,
    archived: false,
    tokens: null,
    cost_usd: null,
    cost_state: "unknown",
    context_tokens: null,
    messages: null,
    tool_calls: 0,
    tool_errors: 0,
    objectives: null,
    subagents: null,
    budget_usd: null,
    sources: {},
    ...change,
  };
}

export function item(id: string, change: Partial<Item> = {}): Item {
  return {
    id,
    session: "a",
    kind: "permission",
    tool: "Bash",
    summary: "ls",
    opened_at: 1000,
    answerable: false,
    ...change,
  };
}

export function totals(sessions: number): Totals {
  return {
    sessions,
    status: { running: 0, waiting: 0, idle: sessions, failed: 0, ended: 0, stale: 0 },
    attention: 0,
    tokens: null,
    cost_usd: null,
  };
}

export function overview(
  cursor: string,
  sessions: Summary[],
  change: Partial<FrameOf<"overview.snapshot">> = {},
): FrameOf<"overview.snapshot"> {
  return {
    type: "overview.snapshot",
    cursor,
    part: 1,
    parts: 1,
    sessions,
    totals: totals(sessions.length),
    ...change,
  };
}

export function snapshot(
  session: string,
  cursor: string,
  detail: Partial<Detail> = {},
  change: Partial<FrameOf<"session.snapshot">> = {},
): FrameOf<"session.snapshot"> {
  const whole = { ...summary(session), token_series: [], errors_list: [], ...detail };
  return {
    type: "session.snapshot",
    session,
    cursor,
    part: 1,
    parts: 1,
    detail: whole,
    timeline: [],
    live: true,
    ...change,
  };
}

export function patch(
  session: string,
  from: string,
  cursor: string,
  change: Partial<FrameOf<"session.patch">> = {},
): FrameOf<"session.patch"> {
  return { type: "session.patch", session, from, cursor, ...change };
}
