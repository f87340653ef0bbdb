import { t } from "../messages";
import { Cost, TokenCount } from "../values";
import { useField, type HoldSignal } from "./field";
import { Panel } from "./panel";
import { differenceWords, inheritedWords, sourceWord, silentWords } from "./source_words";

/** Sources that fell behind while others are heard: a board that still moves looks complete. */
export function Silences({ hold }: { hold: HoldSignal }) {
  const silent = Object.entries(useField(hold, "silent") ?? {});
  if (silent.length === 0) return null;
  return (
    <p class="silences uncertain" role="status" data-testid="silent">
      {silent.map(([source, since]) => (
        <span key={source}>{silentWords(source, since)} </span>
      ))}
    </p>
  );
}

/** Where the numbers come from, where that is a question: several sources, or lines of another session. */
export function Sources({ hold }: { hold: HoldSignal }) {
  const sources = Object.entries(useField(hold, "usage_sources") ?? {});
  const inherited = useField(hold, "inherited");
  if (sources.length < 2 && !inherited) return null;
  const counted = sources[0]?.[1];
  return (
    <Panel title={t("Sources")} testid="sources">
      {sources.length > 1 && (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">{t("Source")}</th>
              <th scope="col" class="number">
                {t("Tokens")}
              </th>
              <th scope="col" class="number">
                {t("Cost")}
              </th>
            </tr>
          </thead>
          <tbody>
            {sources.map(([name, told], place) => (
              <tr key={name} data-source={name}>
                <th scope="row">
                  {sourceWord(name)}{" "}
                  <span class="muted">{place === 0 ? t("counts") : differenceWords(counted!, told)}</span>
                </th>
                <td class="number">
                  <TokenCount tokens={told.tokens} />
                </td>
                <td class="number">
                  <Cost usd={told.cost_usd} state={told.cost_state} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {inherited && <p class="inherited small muted">{inheritedWords(inherited)}</p>}
    </Panel>
  );
}
