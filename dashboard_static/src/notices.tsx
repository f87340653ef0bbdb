import { signal, useComputed } from "@preact/signals";
import { hubNow } from "./clock";
import { connection } from "./hub";
import { Icon } from "./icons";
import { totals } from "./live";
import { t } from "./messages";
import { troubleKey, troubleLines, troubleWords } from "./troubles";
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

/** What somebody has dismissed stays away until it is another one. */
const seen = signal("");

/** Who fell silent or is behind. Of that nothing is known while nothing is heard of the hub itself. */
function Sources() {
  const sources = useComputed(() => totals.value?.sources ?? []).value;
  if (!sources.length || connection.value !== "live" || troubleKey(sources) === seen.value) return null;
  const lines = troubleLines(sources, hubNow());
  return (
    <div class="notice" title={lines.join("\n")} data-testid="sources">
      <span class="dot" aria-hidden="true" />
      <span class="clip">{troubleWords(lines)}</span>
      <button type="button" class="ghost" aria-label={t("Dismiss")} onClick={() => (seen.value = troubleKey(sources))}>
        <Icon name="close" />
      </button>
    </div>
  );
}
