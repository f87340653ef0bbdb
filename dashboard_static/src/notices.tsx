import { useComputed } from "@preact/signals";
import { hubNow } from "./clock";
import { connection } from "./hub";
import { Icon } from "./icons";
import { totals } from "./live";
import { t } from "./messages";
import { troubleLines, troubleWords } from "./troubles";
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
      <Sources />
    </div>
  );
}

/** Who fell silent or is behind. Of that nothing is known while nothing is heard of the hub itself. */
function Sources() {
  const lines = useComputed(() => troubleLines(totals.value?.sources ?? [], hubNow())).value;
  if (!lines.length || connection.value !== "live") return null;
  return (
    <div class="notice" title={lines.join("\n")} data-testid="sources">
      <span class="dot" aria-hidden="true" />
      <span class="clip">{troubleWords(lines)}</span>
    </div>
  );
}
