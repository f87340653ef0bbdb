import { useEffect } from "preact/hooks";
import { notice } from "./hub";
import { Icon } from "./icons";

const SHOWN_MS = 10_000;

export function Notices() {
  const current = notice.value;
  useEffect(() => {
    if (!current) return;
    const timer = setTimeout(() => (notice.value = null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [current]);
  return (
    <div class="notices" role="status">
      {current && (
        <div class="notice" data-level={current.level}>
          <span>{current.message}</span>
          <button type="button" class="ghost" aria-label="Dismiss" onClick={() => (notice.value = null)}>
            <Icon name="close" />
          </button>
        </div>
      )}
    </div>
  );
}
