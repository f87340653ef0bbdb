/** The frames of hub.v1 and the records they carry. Names are the server's own, untranslated. */

export type Status = "running" | "waiting" | "idle" | "failed" | "ended" | "stale";
export type CostState = "priced" | "partial" | "unpriced" | "unknown";
export type AttentionKind = "permission" | "question" | "plan" | "failure" | "budget";

export interface Tokens {
  input: number | null;
  output: number | null;
  cache_read: number | null;
  cache_write: number | null;
}

export interface Summary {
  id: string;
  agent: string | null;
  workspace: string | null;
  host: string | null;
  user: string | null;
  project: string | null;
  cwd: string | null;
  branch: string | null;
  title: string | null;
  model: string | null;
  phase: string | null;
  event_id: string | null;
  status: Status;
  status_since: number | null;
  current_tool: string | null;
  attention: number;
  started_at: number | null;
  updated_at: number | null;
  ended_at: number | null;
  archived: boolean;
  tokens: Tokens | null;
  cost_usd: number | null;
  cost_state: CostState;
  context_tokens: number | null;
  messages: number | null;
  tool_calls: number | null;
  tool_errors: number | null;
  objectives: { done: number; total: number } | null;
  subagents: { active: number; total: number } | null;
  budget_usd: number | null;
  sources: Record<string, number> | null;
}

export interface Objective {
  text: string;
  status: string;
  at: number | null;
}

export interface ToolUse {
  calls: number;
  errors: number;
  total_ms: number | null;
}

/** Which table priced the calls. */
export interface Prices {
  package: string;
  version: string;
}

export interface ModelUse {
  tokens: Tokens | null;
  cost_usd: number | null;
  /** API calls, and how many of them have no price; null where only metrics tell. */
  calls?: number | null;
  unpriced?: number | null;
}

export interface Subagent {
  type: string | null;
  parent: string | null;
  status: string | null;
  tokens: Tokens | null;
  cost_usd: number | null;
}

export interface Bucket extends Tokens {
  at: number;
  cost_usd?: number | null;
}

export interface ErrorEntry {
  seq: number;
  at: number | null;
  text?: string;
  tool?: string | null;
  kind?: string;
}

export type EntryKind =
  | "prompt"
  | "message"
  | "tool"
  | "objective"
  | "tokens"
  | "attention"
  | "subagent"
  | "compaction"
  | "error"
  | "session";

export interface Entry {
  seq: number;
  at: number | null;
  kind: EntryKind;
  id: string;
  ref?: string | null;
  text?: string;
  full_bytes?: number | null;
  tool?: string | null;
  status?: string | null;
  duration_ms?: number | null;
  tokens?: number | null;
  agent_id?: string | null;
}

export interface SourceUsage {
  tokens: Tokens;
  cost_usd: number | null;
  cost_state: CostState;
  calls: number | null;
}

export interface Detail extends Summary {
  objectives_list: Record<string, Objective>;
  tools: Record<string, ToolUse>;
  models: Record<string, ModelUse>;
  subagents_tree: Record<string, Subagent>;
  inherited: { tokens: Tokens | null; cost_usd: number | null } | null;
  timeline_partial?: boolean;
  /** What each source alone says, the one that counts first; they are never added up. */
  usage_sources: Record<string, SourceUsage>;
  /** Sources that fell behind while others are heard, with when each was heard last. */
  silent: Record<string, number>;
  token_series: Bucket[];
  errors_list: ErrorEntry[];
  timeline: Entry[];
}

export interface Item {
  id: string;
  session: string;
  kind: AttentionKind;
  tool: string | null;
  summary: string;
  opened_at: number;
  answerable: boolean;
}

/** A machine whose reader sends from afar, and is not heard or behind. */
export interface TroubledSource {
  host: string;
  user: string;
  state: "silent" | "late";
  heard_at: number;
  bytes_behind: number | null;
}

export interface Totals {
  sessions: number;
  status: Record<Status, number>;
  attention: number;
  tokens: Tokens | null;
  cost_usd: number | null;
  /** Connections to this board, over all workers. */
  watching?: number;
  /** Absent where every machine that sends from afar is well. */
  sources?: TroubledSource[];
}

export type Sort = "default" | "updated" | "cost" | "started";

export interface View {
  status?: Status[];
  project?: string;
  agent?: string;
  user?: string;
  q?: string;
  archived?: boolean;
  sort?: Sort;
  limit?: number;
  pinned?: string[];
}

export type EvictReason = "cap" | "slow" | "forbidden" | "deleted";
export type Scope = "overview" | "attention" | "session";

export type ServerFrame =
  | {
      type: "welcome";
      protocol: number;
      connection?: string;
      worker?: string;
      now: number;
      heartbeat_ms?: number;
      limits?: { subscriptions?: number };
    }
  | {
      type: "overview.snapshot";
      cursor: string;
      part: number;
      parts: number;
      sessions: Summary[];
      totals?: Totals;
    }
  | {
      type: "overview.patch";
      from: string;
      cursor: string;
      set?: (Partial<Summary> & { id: string })[];
      gone?: string[];
      totals?: Totals;
    }
  | {
      type: "attention";
      cursor: string;
      full?: boolean;
      part?: number;
      parts?: number;
      open?: Item[];
      closed?: { id: string; outcome?: string }[];
    }
  | {
      type: "session.snapshot";
      session: string;
      cursor: string;
      part: number;
      parts: number;
      detail?: Partial<Detail>;
      timeline?: Entry[];
      live?: boolean;
      timeline_partial?: boolean;
    }
  | {
      type: "session.patch";
      session: string;
      from: string;
      cursor: string;
      set?: Partial<Detail>;
      maps?: Record<string, Record<string, unknown>>;
      append?: Record<string, unknown[]>;
    }
  | { type: "session.evicted"; session: string; reason: EvictReason }
  | { type: "session.stale"; session: string; reason: string }
  | {
      type: "heartbeat";
      id: number | string;
      now: number;
      overview?: string;
      attention?: string;
      sessions?: Record<string, string>;
    }
  | { type: "notice"; level: string; code: string; message: string }
  | { type: "error"; code: string; message: string; session?: string; retry_ms?: number }
  | { type: "bye"; code: number; reason: string; retry_ms?: number }
  | { type: "pong"; id: number | string; now: number };

export type FrameOf<T extends ServerFrame["type"]> = Extract<ServerFrame, { type: T }>;

export interface Hello {
  type: "hello";
  protocol: 1;
  client: string;
  rate_hz: number;
  subscriptions: number;
  view?: View;
  resume?: { session: string; cursor: string }[];
  active?: string;
}

export type ClientFrame =
  | Hello
  | { type: "subscribe"; session: string; activate: boolean }
  | { type: "unsubscribe"; session: string }
  | { type: "activate"; session: string | null }
  | ({ type: "view" } & View)
  | { type: "rate"; hz: number }
  | { type: "resync"; scope: Scope; session?: string; reason: string }
  | { type: "ack"; frames: number }
  | { type: "ping"; id: number }
  | { type: "pong"; id: number | string };
