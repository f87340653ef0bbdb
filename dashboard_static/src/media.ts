import { signal, type ReadonlySignal } from "@preact/signals";

export function media(query: string): ReadonlySignal<boolean> {
  const list = matchMedia(query);
  const matches = signal(list.matches);
  list.addEventListener("change", () => {
    matches.value = list.matches;
  });
  return matches;
}

/** Too narrow for a column beside another. */
export const single = media("(max-width: 999px)");
export const narrow = media("(max-width: 719px)");
