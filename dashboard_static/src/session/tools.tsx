import { duration, exact } from "../format";
import { t } from "../messages";
import type { ToolUse } from "../protocol";
import { Bar } from "../values";
import { useField, type HoldSignal } from "./field";
import { Panel } from "./panel";
import { ToolIcon } from "./tool_icon";

export function Tools({ hold }: { hold: HoldSignal }) {
  const tools = byCalls(useField(hold, "tools") ?? {});
  const most = tools[0]?.[1].calls ?? 1;
  return (
    <Panel
      title={t("Tools")}
      testid="tools"
      aside={tools.length > 0 && t("{count} used", { count: tools.length })}
      empty={tools.length === 0 && t("No tool was used yet.")}
    >
      <table class="table tools">
        <thead>
          <tr>
            <th scope="col">{t("Tool")}</th>
            <th scope="col" class="number">
              {t("Calls")}
            </th>
            <th scope="col" class="number">
              {t("Failed")}
            </th>
            <th scope="col" class="number">
              {t("Time")}
            </th>
            <th scope="col" class="number" title={t("The time of all calls by their number")}>
              {t("Average")}
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

function byCalls(tools: Record<string, ToolUse>): [string, ToolUse][] {
  return Object.entries(tools).sort(([a, x], [b, y]) => y.calls - x.calls || (a < b ? -1 : 1));
}

function Row({ name, use, most }: { name: string; use: ToolUse; most: number }) {
  const { calls, errors, total_ms } = use;
  return (
    <tr data-tool={name}>
      <th scope="row" title={name}>
        <span class="tool-name">
          <ToolIcon tool={name} />
          <span class="mono clip">{name}</span>
        </span>
        <Bar part={calls} of={most} failed={errors} />
      </th>
      <td class="number">{exact(calls)}</td>
      <td class="number" data-alarm={errors > 0}>
        {errors > 0 ? exact(errors) : "–"}
      </td>
      <td class="number">{total_ms ? duration(total_ms) : "–"}</td>
      <td class="number">{total_ms && calls > 0 ? duration(total_ms / calls) : "–"}</td>
    </tr>
  );
}
