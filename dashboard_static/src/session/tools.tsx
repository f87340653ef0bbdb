import { duration, exact } from "../format";
import type { ToolUse } from "../protocol";
import { Bar } from "../values";
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
  return (
    <tr data-tool={name}>
      <th scope="row" title={name}>
        <span class="mono clip">{name}</span>
        <Bar part={use.calls} of={most} failed={use.errors} />
      </th>
      <td class="number">{exact(use.calls)}</td>
      <td class="number" data-alarm={use.errors > 0}>
        {use.errors > 0 ? exact(use.errors) : "–"}
      </td>
      <td class="number">{use.total_ms ? duration(use.total_ms) : "–"}</td>
    </tr>
  );
}
