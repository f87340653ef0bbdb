import { duration, exact } from "../format";
import type { ToolUse } from "../protocol";
import { useField, type HoldSignal } from "./field";
import { Panel } from "./panel";

export function Tools({ hold }: { hold: HoldSignal }) {
  const tools = byCalls(useField(hold, "tools") ?? {});
  const most = tools[0]?.[1].calls ?? 1;
  return (
    <Panel
      title="Tools"
      testid="tools"
      aside={tools.length > 0 && `${tools.length} used`}
      empty={tools.length === 0 && "No tool was used yet."}
    >
      <table class="table tools">
        <thead>
          <tr>
            <th scope="col">Tool</th>
            <th scope="col" class="number">
              Calls
            </th>
            <th scope="col" class="number">
              Failed
            </th>
            <th scope="col" class="number">
              Time
            </th>
          </tr>
        </thead>
        <tbody>
          {tools.map(([name, use]) => (
            <Row key={name} name={name} use={use} most={most} />
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

export function byCalls(tools: Record<string, ToolUse>): [string, ToolUse][] {
  return Object.entries(tools).sort(([a, x], [b, y]) => y.calls - x.calls || (a < b ? -1 : 1));
}

function Row({ name, use, most }: { name: string; use: ToolUse; most: number }) {
  const width = (100 * use.calls) / Math.max(1, most);
  const failed = (100 * use.errors) / Math.max(1, most);
  return (
    <tr data-tool={name}>
      <th scope="row" title={name}>
        <span class="mono clip">{name}</span>
        <svg class="bar" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">
          <rect class="bar-all" width={width} height="3" />
          <rect class="bar-failed" width={failed} height="3" />
        </svg>
      </th>
      <td class="number">{exact(use.calls)}</td>
      <td class="number" data-alarm={use.errors > 0}>
        {use.errors > 0 ? exact(use.errors) : "–"}
      </td>
      <td class="number">{use.total_ms ? duration(use.total_ms) : "–"}</td>
    </tr>
  );
}
