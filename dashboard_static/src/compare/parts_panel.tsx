/** What the sessions are made of: tools, models and objectives. */

import { useSignal } from "@preact/signals";
import { costStateOf, exact, objectiveWord } from "../format";
import { plural, t } from "../messages";
import { own } from "../own";
import type { ModelUse, ToolUse } from "../protocol";
import { Bar, Cost, Progress, TokenCount } from "../values";
import type { Compared } from "./answer";
import { Columns, Group, none, type ColumnsProps } from "./columns";
import { union } from "./union";

const FEW = 12;

export function PartsPanel(props: ColumnsProps) {
  const { sessions } = props;
  return (
    <section class="panel" data-testid="compare-parts">
      <Columns {...props} words={t("Tools, models and objectives")}>
        <Tools sessions={sessions} />
        <Models sessions={sessions} />
        <Objectives sessions={sessions} />
      </Columns>
    </section>
  );
}

function Tools({ sessions }: { sessions: readonly Compared[] }) {
  const whole = useSignal(false);
  const names = union(
    sessions.map(({ tools }) => tools),
    ({ calls }) => calls,
  );
  const most = Math.max(...sessions.flatMap(({ tools }) => Object.values(tools).map(({ calls }) => calls)));
  return (
    <Group
      name="tools"
      words={t("Tools: calls")}
      sessions={sessions}
      empty={names.length === 0 && t("No tool was used yet.")}
    >
      {(whole.value ? names : names.slice(0, FEW)).map((name) => (
        <tr key={name} data-row={name}>
          <th scope="row" class="mono" title={name}>
            {name}
          </th>
          {sessions.map(({ id, tools }) => (
            <ToolCell key={id} use={own(tools, name)} most={most} />
          ))}
        </tr>
      ))}
      {names.length > FEW && (
        <tr>
          <td colSpan={sessions.length + 1}>
            <button
              type="button"
              class="ghost"
              aria-expanded={whole.value}
              onClick={() => (whole.value = !whole.value)}
            >
              {whole.value ? t("Show fewer") : t("Show all {count}", { count: exact(names.length) })}
            </button>
          </td>
        </tr>
      )}
    </Group>
  );
}

function ToolCell({ use, most }: { use: ToolUse | undefined; most: number }) {
  return (
    <td>
      {use ? exact(use.calls) : none()}
      {use && use.errors > 0 && (
        <span class="compare-difference" data-alarm="true">
          {plural(use.errors, "1 failed", "{count} failed", { count: exact(use.errors) })}
        </span>
      )}
      <Bar part={use?.calls ?? 0} of={most} failed={use?.errors} />
    </td>
  );
}

function Models({ sessions }: { sessions: readonly Compared[] }) {
  const names = union(
    sessions.map(({ models }) => models),
    ({ cost_usd }) => cost_usd ?? 0,
  );
  return (
    <Group
      name="models"
      words={t("Models: tokens and cost")}
      sessions={sessions}
      empty={names.length === 0 && t("No model call was read yet.")}
    >
      {names.map((name) => (
        <tr key={name} data-row={name}>
          <th scope="row" title={name}>
            {name}
          </th>
          {sessions.map(({ id, models }) => (
            <ModelCell key={id} use={own(models, name)} />
          ))}
        </tr>
      ))}
    </Group>
  );
}

function ModelCell({ use }: { use: ModelUse | undefined }) {
  if (!use) return <td>{none()}</td>;
  return (
    <td>
      <TokenCount tokens={use.tokens} />{" "}
      <span class="compare-difference">
        <Cost usd={use.cost_usd} state={costStateOf(use)} />
      </span>
    </td>
  );
}

const MARKS: Record<string, string> = { completed: "✓", in_progress: "•" };

function Objectives({ sessions }: { sessions: readonly Compared[] }) {
  const some = sessions.some(({ objectives }) => (objectives?.total ?? 0) > 0);
  return (
    <Group
      name="objectives"
      words={t("Objectives")}
      sessions={sessions}
      empty={!some && t("No session has set itself any.")}
    >
      <tr>
        <th scope="row">{t("Done")}</th>
        {sessions.map(({ id, objectives }) => (
          <td key={id}>{objectives && objectives.total > 0 ? <Progress {...objectives} /> : none()}</td>
        ))}
      </tr>
      <tr data-row="list">
        <th scope="row">{t("List")}</th>
        {sessions.map(({ id, objectives_list }) => (
          <td key={id}>
            <ol class="compare-objectives">
              {Object.entries(objectives_list).map(([key, { text, status }]) => (
                <li key={key} data-status={status}>
                  <span aria-hidden="true">{own(MARKS, status) ?? "○"}</span>
                  <span class="hidden">{objectiveWord(status)}: </span>
                  <span class="objective-text">{text}</span>
                </li>
              ))}
            </ol>
          </td>
        ))}
      </tr>
    </Group>
  );
}
