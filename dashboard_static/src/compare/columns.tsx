/** A table with one column for each session; it scrolls sideways where four have no room. */

import type { ComponentChildren } from "preact";
import { nameOf } from "../format";
import { t } from "../messages";
import type { Compared } from "./answer";
import { Letter } from "./cards";

export interface ColumnsProps {
  sessions: readonly Compared[];
  ids: readonly string[];
}

export function Columns({
  sessions,
  ids,
  words,
  children,
}: ColumnsProps & { words: string; children: ComponentChildren }) {
  return (
    // Whoever has no pointer scrolls it by the arrow keys.
    <div class="compare-scroll" tabIndex={0} role="region" aria-label={words}>
      <table class="compare-table" data-columns={sessions.length}>
        <caption class="hidden">{words}</caption>
        <thead>
          <tr>
            <td />
            {sessions.map((session) => (
              <th key={session.id} scope="col" title={nameOf(session)}>
                <span class="compare-column">
                  <Letter at={ids.indexOf(session.id)} />
                  <span class="clip">{nameOf(session)}</span>
                </span>
              </th>
            ))}
          </tr>
        </thead>
        {children}
      </table>
    </div>
  );
}

interface GroupProps {
  name: string;
  words: string;
  sessions: readonly Compared[];
  empty: string | false;
  children: ComponentChildren;
}

/** Rows that belong together. */
export function Group({ name, words, sessions, empty, children }: GroupProps) {
  return (
    <tbody data-testid={`compare-${name}`}>
      <tr class="compare-group">
        <th scope="rowgroup" colSpan={sessions.length + 1}>
          {words}
        </th>
      </tr>
      {empty ? (
        <tr>
          <td class="muted" colSpan={sessions.length + 1}>
            {empty}
          </td>
        </tr>
      ) : (
        children
      )}
    </tbody>
  );
}

export const none = () => (
  <span class="muted">
    <span aria-hidden="true">–</span>
    <span class="hidden">{t("none")}</span>
  </span>
);
