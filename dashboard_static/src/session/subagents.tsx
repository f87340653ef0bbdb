import { usd } from "../format";
import type { Subagent } from "../protocol";
import { TokenCount, Unknown } from "../values";
import { useField, type HoldSignal } from "./field";
import { Panel } from "./panel";

interface Branch {
  id: string;
  depth: number;
  agent: Subagent;
}

/** Parents before children. One whose parent is unknown, or its own ancestor, stands at the root. */
export function flatten(tree: Record<string, Subagent>): Branch[] {
  const children = new Map<string | null, string[]>();
  for (const [id, { parent }] of Object.entries(tree)) {
    const under = parent !== null && parent in tree && parent !== id ? parent : null;
    children.set(under, [...(children.get(under) ?? []), id]);
  }
  const rows = new Map<string, Branch>();
  const walk = (id: string, depth: number) => {
    if (rows.has(id)) return;
    rows.set(id, { id, depth, agent: tree[id]! });
    for (const child of children.get(id) ?? []) walk(child, depth + 1);
  };
  for (const id of [...(children.get(null) ?? []), ...Object.keys(tree)]) walk(id, 0);
  return [...rows.values()];
}

export function Subagents({ hold }: { hold: HoldSignal }) {
  const rows = flatten(useField(hold, "subagents_tree") ?? {});
  const count = useField(hold, "subagents");
  return (
    <Panel
      title="Subagents"
      testid="subagents"
      aside={count && count.total > 0 && `${count.active} of ${count.total} active`}
      empty={rows.length === 0 && "None were started."}
    >
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Agent</th>
            <th scope="col">Status</th>
            <th scope="col" class="number">
              Tokens
            </th>
            <th scope="col" class="number">
              Cost
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, depth, agent }) => (
            <tr key={id}>
              <th scope="row" title={id}>
                <span class="clip" style={{ paddingInlineStart: `${Math.min(depth, 6) * 14}px` }}>
                  {agent.type ?? id}
                </span>
              </th>
              <td>{agent.status ?? ""}</td>
              <td class="number">
                <TokenCount tokens={agent.tokens} />
              </td>
              <td class="number">{agent.cost_usd == null ? <Unknown /> : usd(agent.cost_usd)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}
