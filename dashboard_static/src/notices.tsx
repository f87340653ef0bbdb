import { Icon } from "./icons";
import { t } from "./messages";
import { dismiss, notices } from "./words";

/** In the header's empty middle, where it covers and moves nothing. The region is always there: one that comes together with its words is not read out. */
export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite" data-testid="notices">
      {notices.value.map(({ code, level, message }) => (
        <div key={code} class="notice" title={t(message)} data-testid="notice" data-code={code} data-level={level}>
          <span class="dot" aria-hidden="true" />
          <span class="clip">{t(message)}</span>
          <button type="button" class="ghost" aria-label={t("Dismiss")} onClick={() => dismiss(code)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
