import { costStateOf } from "../format";
import { t } from "../messages";
import { Cost, TokenCount } from "../values";
import { useField, type HoldSignal } from "./field";
import { Panel } from "./panel";

export function Models({ hold }: { hold: HoldSignal }) {
  const models = Object.entries(useField(hold, "models") ?? {}).sort(
    ([, a], [, b]) => (b.cost_usd ?? 0) - (a.cost_usd ?? 0),
  );
  return (
    <Panel title={t("Models")} testid="models" empty={models.length === 0 && t("No model call was read yet.")}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t("Model")}</th>
            <th scope="col" class="number">
              {t("Tokens")}
            </th>
            <th scope="col" class="number">
              {t("Cost")}
            </th>
          </tr>
        </thead>
        <tbody>
          {models.map(([name, use]) => (
            <tr key={name}>
              <th scope="row" title={name}>
                <span class="clip">{name}</span>
              </th>
              <td class="number">
                <TokenCount tokens={use.tokens} />
              </td>
              <td class="number">
                <Cost usd={use.cost_usd} state={costStateOf(use)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}
