import { t } from "../messages";

export function Failure({ words, retry }: { words: string; retry: () => void }) {
  return (
    <p class="history-failure" role="alert" data-testid="failure">
      {words}
      <button type="button" class="ghost" onClick={retry}>
        {t("Try again")}
      </button>
    </p>
  );
}
