/** A screen, or a part of one, that comes when it is asked for: who looks at the board needs no other. */

import { signal, type Signal } from "@preact/signals";
import type { ComponentType, VNode } from "preact";
import { useEffect } from "preact/hooks";
import { t } from "./messages";

export interface Door<Props> {
  (props: Props): VNode;
  /** Brings the screen before anybody asks for it. */
  fetch(): void;
}

export function door<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  Place: "main" | "div" = "main",
): Door<Props> {
  const screen = signal<ComponentType<Props> | null>(null);
  const failed = signal(false);
  let asked = false;
  const fetch = () => {
    if (asked) return;
    asked = true;
    load().then(
      (loaded) => {
        screen.value = loaded;
      },
      () => {
        failed.value = true;
      },
    );
  };
  const Screen = (props: Props) => {
    useEffect(fetch, []);
    const Loaded = screen.value;
    return Loaded ? <Loaded {...props} /> : <Waiting failed={failed} Place={Place} />;
  };
  return Object.assign(Screen, { fetch });
}

function Waiting({ failed, Place }: { failed: Signal<boolean>; Place: "main" | "div" }) {
  return (
    <Place class="waiting-room" aria-busy={!failed.value}>
      {failed.value && (
        <p class="empty" role="alert">
          {t("This part of the page could not be loaded.")}{" "}
          <button type="button" class="ghost" onClick={() => location.reload()}>
            {t("Reload")}
          </button>
        </p>
      )}
    </Place>
  );
}
