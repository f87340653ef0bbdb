/** Where a budget is set, changed or taken away. What was refused is said in the dialog. */

import { useSignal } from "@preact/signals";
import { t } from "../messages";
import { change } from "./acts";
import { Dialog, DialogButtons } from "./dialog";

export function BudgetDialog({ id, budget, closed }: { id: string; budget: number | null; closed: () => void }) {
  const failure = useSignal("");
  const typed = useSignal(budget === null ? "" : String(budget));
  const told = async (budget_usd: number | null) => {
    failure.value = await change(id, { budget_usd });
    if (!failure.peek()) closed();
  };
  return (
    <Dialog title={t("Budget of this session")} testid="budget-dialog" closed={closed}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void told(Number(typed.peek()));
        }}
      >
        <label class="dialog-field">
          {t("At most, in US dollars")}
          <input
            type="number"
            required
            min="0"
            max="1000000000"
            step="any"
            inputMode="decimal"
            value={typed}
            onInput={(event) => (typed.value = event.currentTarget.value)}
          />
        </label>
        <p class="dialog-words muted">{t("When it is spent, the session asks for attention. Nothing is stopped.")}</p>
        <DialogButtons closed={closed} failure={failure.value}>
          {budget !== null && (
            <button type="button" class="ghost" data-testid="clear-budget" onClick={() => void told(null)}>
              {t("No budget")}
            </button>
          )}
          <button type="submit" class="primary">
            {t("Set")}
          </button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}
