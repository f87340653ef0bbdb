/** What each session is, and its figures with their distance from the first one's. */

import type { ComponentChildren } from "preact";
import { compact, costStateWords, dayMinute, exact } from "../format";
import { t } from "../messages";
import { Joined, StatusWord, Unknown } from "../values";
import type { Compared } from "./answer";
import { Columns, type ColumnsProps } from "./columns";
import { difference, marked, ROWS, type Best, type Figure, type Row } from "./rows";

export function FiguresPanel(props: ColumnsProps) {
  const { sessions } = props;
  return (
    <section class="panel" data-testid="compare-figures">
      <Columns {...props} words={t("Figures")}>
        <tbody>
          {facts().map(([name, words, of]) => (
            <tr key={name} data-row={name}>
              <th scope="row">{words}</th>
              {sessions.map((session) => (
                <td key={session.id}>{of(session) || <Unknown />}</td>
              ))}
            </tr>
          ))}
          {ROWS.map((row) => (
            <Figures key={row.name} row={row} sessions={sessions} />
          ))}
        </tbody>
      </Columns>
    </section>
  );
}

const facts = (): [name: string, words: string, of: (session: Compared) => ComponentChildren][] => [
  ["status", t("Status"), ({ status }) => <StatusWord status={status} />],
  ["model", t("Model"), ({ model }) => model],
  [
    "project",
    t("Project"),
    ({ project, branch }) => (project || branch) && <Joined parts={[project, branch]} />,
  ],
  ["agent", t("Agent"), ({ agent }) => agent],
  ["started", t("Started"), ({ started_at }) => started_at && dayMinute(started_at)],
];

function Figures({ row, sessions }: { row: Row; sessions: readonly Compared[] }) {
  const figures = sessions.map(row.of);
  const best = marked(figures, row.best);
  return (
    <tr data-row={row.name}>
      <th scope="row">{t(row.words)}</th>
      {figures.map((figure, at) => (
        <td key={sessions[at]!.id} data-best={best[at]}>
          <Value figure={figure} row={row} />
          {best[at] && <span class="compare-best">{bestWord(row.best!)}</span>}
          {at > 0 && <span class="compare-difference">{difference(figures[0]!, figure, row.show)}</span>}
        </td>
      ))}
    </tr>
  );
}

const bestWord = (best: Best): string => ({ lowest: t("lowest"), highest: t("highest") })[best];

function Value({ figure: { value, least, words }, row: { show } }: { figure: Figure; row: Row }) {
  if (value === null) return words ? <span class="unknown">{words}</span> : <Unknown />;
  const title = least ? costStateWords("partial") : show === compact ? exact(value) : undefined;
  return (
    <span class={least ? "uncertain" : "compare-value"} title={title}>
      {least ? `≥ ${show(value)}` : show(value)}
    </span>
  );
}
