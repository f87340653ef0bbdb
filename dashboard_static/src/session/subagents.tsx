import { useSignal } from "@preact/signals";
import { usd } from "../format";
import { t } from "../messages";
import { own } from "../own";
import { TokenCount, Unknown } from "../values";
import { flatten, FOLDED_MAX, folded, type Branch } from "./branches";
import { useField, type HoldSignal } from "./field";
import { Panel } from "./panel";

export function Subagents({ hold }: { hold: HoldSignal }) {
  const all = flatten(useField(hold, "subagents_tree") ?? {});
  const count = useField(hold, "subagents");
  const open = useSignal(false);
  const rows = open.value ? all : folded(all);
  return (
    <Panel
      title={t("Subagents")}
      testid="subagents"
      aside={count && count.total > 0 && t("{active} of {total} active", count)}
      empty={all.length === 0 && t("None were started.")}
    >
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t("Agent")}</th>
            <th scope="col">{t("Status")}</th>
            <th scope="col" class="number">
              {t("Tokens")}
            </th>
            <th scope="col" class="number">
              {t("Cost")}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((branch) => (
            <Row key={branch.id} branch={branch} />
          ))}
        </tbody>
      </table>
      {all.length > FOLDED_MAX && (
        <button
          type="button"
          class="ghost fold"
          aria-expanded={open.value}
          onClick={() => (open.value = !open.value)}
        >
          {open.value
            ? t("Show the latest only")
            : t("Show all {count}", { count: all.length })}
        </button>
      )}
    </Panel>
  );
}

const STEPS_MAX = 6;

function Row({ branch: { id, depth, lines, agent } }: { branch: Branch }) {
  return (
    <tr data-agent={id} data-depth={depth}>
      <th scope="row" title={id}>
        <span class="twigs">
          {lines.slice(-STEPS_MAX).map((line, at) => (
            <span key={at} class="twig" data-line={line} aria-hidden="true" />
          ))}
          <span class="clip">{agent.type ?? id}</span>
        </span>
      </th>
      <td data-status={agent.status === "running" ? "running" : undefined}>
        <span class="agent-status">{statusWords(agent.status)}</span>
      </td>
      <td class="number">
        <TokenCount tokens={agent.tokens} />
      </td>
      <td class="number">{agent.cost_usd == null ? <Unknown /> : usd(agent.cost_usd)}</td>
    </tr>
  );
}

function statusWords(status: string | null): string {
  const known: Record<string, string> = { running: t("running"), done: t("done"), failed: t("failed") };
  return status === null ? "" : (own(known, status) ?? status);
}
