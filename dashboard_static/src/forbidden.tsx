import { enter } from "./hub";
import { Icon } from "./icons";
import { t } from "./messages";

export function Forbidden() {
  return (
    <main class="gate">
      <div class="gate-card" data-testid="forbidden">
        <div class="gate-mark">
          <Icon name="permission" />
        </div>
        <h1>{t("Not for this credential")}</h1>
        <p class="muted">
          {t(
            "You are signed in, but this credential may not see the board. Ask whoever runs the tower for a viewer token of this workspace.",
          )}
        </p>
        <button type="button" class="primary" onClick={() => void enter()}>
          {t("Try again")}
        </button>
      </div>
    </main>
  );
}
