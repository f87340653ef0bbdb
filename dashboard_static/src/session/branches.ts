/** The tree of subagents as rows: parents before children, and which lines lead to each. */

import type { Subagent } from "../protocol";

/** In a column: nothing, a line that goes by, the last one's corner, one that has more below. */
export type Line = "none" | "by" | "last" | "more";

export interface Branch {
  id: string;
  depth: number;
  parent: string | null;
  lines: readonly Line[];
  agent: Subagent;
}

export const FOLDED_MAX = 12;

/** One whose parent is unknown, or its own ancestor, stands at the root. */
export function flatten(tree: Record<string, Subagent>): Branch[] {
  const children = new Map<string | null, string[]>();
  for (const [id, { parent }] of Object.entries(tree)) {
    const under = parent !== null && Object.hasOwn(tree, parent) && parent !== id ? parent : null;
    const siblings = children.get(under);
    if (siblings) siblings.push(id);
    else children.set(under, [id]);
  }
  const rows = new Map<string, Branch>();
  const walk = (id: string, parent: string | null, above: readonly Line[], line: Line | null) => {
    if (rows.has(id)) return;
    const lines = line ? [...above, line] : above;
    rows.set(id, { id, depth: lines.length, parent, lines, agent: tree[id]! });
    const below: readonly Line[] = line ? [...above, line === "more" ? "by" : "none"] : above;
    const under = children.get(id) ?? [];
    under.forEach((child, at) => walk(child, id, below, at < under.length - 1 ? "more" : "last"));
  };
  for (const id of [...(children.get(null) ?? []), ...Object.keys(tree)]) walk(id, null, [], null);
  return [...rows.values()];
}

/** Those at work, then the latest, as many as are seen at once; each with all that it hangs on. */
export function folded(rows: readonly Branch[], most = FOLDED_MAX): readonly Branch[] {
  if (rows.length <= most) return rows;
  const by_id = new Map(rows.map((row) => [row.id, row]));
  const kept = new Set<string>();
  const at_work = rows.filter(({ agent }) => agent.status === "running");
  for (const row of [...at_work, ...rows.toReversed()]) {
    if (kept.size >= most) break;
    for (let each: Branch | undefined = row; each; each = each.parent === null ? undefined : by_id.get(each.parent)) {
      if (kept.has(each.id)) break;
      kept.add(each.id);
    }
  }
  return rows.filter(({ id }) => kept.has(id));
}
