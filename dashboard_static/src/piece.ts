/** A piece of script that comes when something that needs it is drawn. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** Null until it is here, and where it cannot be had: the rest of the page does without. */
export function usePiece<T extends object>(load: () => Promise<T>, wanted = true): T | null {
  const piece = useSignal<T | null>(null);
  useEffect(() => {
    if (wanted)
      load().then(
        (loaded) => (piece.value = loaded),
        () => {},
      );
  }, [wanted]);
  return piece.value;
}
