import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { exact, sum, unknown } from "../format";
import { t } from "../messages";
import { Bar, Cost, TokenCount } from "../values";
import type { Spent, ToolCalls, Usage } from "./answers";

const FEW = 8;

interface SpentProps {
  name: string;
  words: string;
  /** What a row without a key is called. */
  none: string;
  usage: Usage<Spent>;
}

export function SpentTable({ name, words, none, usage }: SpentProps) {
  // By what the rows are in the order of, where that is not their day.
  const size = (row: Spent) => (usage.total.cost_usd ? (row.cost_usd ?? 0) : (sum(row) ?? 0));
  const most = Math.max(...usage.rows.map(size));
  return (
    <UsageTable
      name={name}
      words={words}
      columns={[t("Tokens"), t("Cost")]}
      usage={usage}
      row={(each) => (
        <tr key={each.key} data-key={each.key}>
          <Name key_={each.key} none={none}>
            <Bar part={size(each)} of={most} />
          </Name>
          <td class="number">
            <TokenCount tokens={each} />
          </td>
          <td class="number">
            <Cost usd={each.cost_usd} state={each.cost_state} />
          </td>
        </tr>
      )}
    />
  );
}

export function ToolTable({ usage }: { usage: Usage<ToolCalls> }) {
  const most = usage.rows[0]?.calls ?? 0;
  return (
    <UsageTable
      name="tool"
      words={t("Tool")}
      columns={[t("Calls"), t("Failed")]}
      usage={usage}
      row={(each) => (
        <tr key={each.key} data-key={each.key}>
          <Name key_={each.key} none={unknown()}>
            <Bar part={each.calls} of={most} failed={each.errors ?? 0} />
          </Name>
          <td class="number">{exact(each.calls)}</td>
          <td class="number" data-alarm={Boolean(each.errors)}>
            {each.errors ? exact(each.errors) : "–"}
          </td>
        </tr>
      )}
    />
  );
}

function Name({ key_, none, children }: { key_: string | null; none: string; children: ComponentChildren }) {
  return (
    <th scope="row" title={key_ ?? none}>
      <span class={key_ === null ? "clip unknown" : "clip"}>{key_ ?? none}</span>
      {children}
    </th>
  );
}

interface Props<Sums> {
  name: string;
  words: string;
  columns: string[];
  usage: Usage<Sums>;
  row: (row: Usage<Sums>["rows"][number]) => ComponentChildren;
}

/** The first rows, and the others on demand. */
function UsageTable<Sums>({ name, words, columns, usage: { rows, more }, row }: Props<Sums>) {
  const whole = useSignal(false);
  if (rows.length === 0) return null;
  return (
    <div data-testid={`usage-by-${name}`}>
      <table class="table">
        <caption class="hidden">{t("Usage: {by}", { by: words })}</caption>
        <thead>
          <tr>
            <th scope="col">{words}</th>
            {columns.map((each) => (
              <th key={each} scope="col" class="number">
                {each}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{(whole.value ? rows : rows.slice(0, FEW)).map(row)}</tbody>
      </table>
      {rows.length > FEW && (
        <button
          type="button"
          class="ghost history-all"
          aria-expanded={whole.value}
          onClick={() => (whole.value = !whole.value)}
        >
          {whole.value ? t("Show fewer") : t("Show all {count}", { count: exact(rows.length) })}
        </button>
      )}
      {whole.value && more && <p class="empty small">{t("Others are counted in the sums alone.")}</p>}
    </div>
  );
}
