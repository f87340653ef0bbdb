import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { HistoryScreen } from "./screen";

const screen = signal<typeof HistoryScreen | null>(null);
const failed = signal(false);

/** Whoever looks at the board needs none of this: it comes when it is asked for. */
export function HistoryDoor({ query }: { query: string }) {
  useEffect(open, []);
  const Screen = screen.value;
  if (Screen) return <Screen query={query} />;
  return (
    <main class="history">
      {failed.value && (
        <p class="empty" role="alert">
          This part of the page could not be loaded.{" "}
          <button type="button" class="ghost" onClick={() => location.reload()}>
            Reload
          </button>
        </p>
      )}
    </main>
  );
}

function open(): void {
  import("./screen").then(
    (module) => {
      screen.value = module.HistoryScreen;
    },
    () => {
      failed.value = true;
    },
  );
}
