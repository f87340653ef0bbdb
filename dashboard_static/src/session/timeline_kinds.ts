/** By what a timeline can be narrowed. A tool that failed is among the tools and among the errors. */

import { t } from "../messages";
import { own } from "../own";
import type { EntryKind } from "../protocol";
import { outcomeOf, type TimelineRow } from "./timeline_rows";

export const GROUPS = ["prompts", "messages", "tools", "attention", "subagents", "errors", "other"] as const;

export type Group = (typeof GROUPS)[number];

const GROUP_OF: Partial<Record<EntryKind, Group>> = {
  prompt: "prompts",
  message: "messages",
  tool: "tools",
  attention: "attention",
  subagent: "subagents",
  error: "errors",
};

function groupsOf(row: TimelineRow): readonly Group[] {
  const group = GROUP_OF[row.start.kind] ?? "other";
  return group === "tools" && outcomeOf(row, false) === "failed" ? ["tools", "errors"] : [group];
}

/** None chosen is all. */
export function narrowed(rows: readonly TimelineRow[], chosen: ReadonlySet<Group>): readonly TimelineRow[] {
  return chosen.size === 0 ? rows : rows.filter((row) => groupsOf(row).some((group) => chosen.has(group)));
}

export function counted(rows: readonly TimelineRow[]): Record<Group, number> {
  const counts = Object.fromEntries(GROUPS.map((group) => [group, 0])) as Record<Group, number>;
  for (const row of rows) for (const group of groupsOf(row)) counts[group]++;
  return counts;
}

export function groupWords(group: Group): string {
  return {
    prompts: t("Prompts"),
    messages: t("Messages"),
    tools: t("Tools"),
    attention: t("Attention"),
    subagents: t("Subagents"),
    errors: t("Errors"),
    other: t("Other"),
  }[group];
}

export function kindWords(kind: EntryKind): string {
  const known: Record<EntryKind, string> = {
    prompt: t("prompt"),
    message: t("message"),
    tool: t("tool"),
    objective: t("objective"),
    tokens: t("tokens"),
    attention: t("attention"),
    subagent: t("subagent"),
    compaction: t("compaction"),
    error: t("error"),
    session: t("session"),
  };
  return known[kind] ?? kind;
}

/** How an entry ended, or what an attention entry asks; an agent's own word stays as it is. */
export function statusWords(status: string): string {
  const known: Record<string, string> = {
    error: t("error"),
    denied: t("denied"),
    interrupted: t("interrupted"),
    permission: t("permission"),
    question: t("question"),
    plan: t("plan"),
    failure: t("failure"),
    budget: t("budget"),
  };
  return own(known, status) ?? status;
}
