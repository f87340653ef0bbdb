/** Light or dark: the system's, unless a person has chosen. */

import { computed, effect } from "@preact/signals";
import { media } from "./media";
import { oneOf, preference } from "./preferences";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export const theme = preference<Theme>("theme", "system", oneOf(...THEMES));
const systemIsDark = media("(prefers-color-scheme: dark)");

/** For what is drawn by hand; everything else follows the style sheet. */
export const dark = computed(() => (theme.value === "system" ? systemIsDark.value : theme.value === "dark"));

export function startTheme(): void {
  const frames = document.querySelectorAll<HTMLMetaElement>("meta[name=theme-color]");
  effect(() => {
    const chosen = theme.value;
    document.documentElement.dataset.theme = chosen;
    // The browser's own frame around an installed page knows nothing of the style sheet.
    for (const frame of frames) {
      const scheme = (frame.dataset.scheme ??= /\((prefers-color-scheme: \w+)\)/.exec(frame.media)?.[0] ?? "");
      frame.media = chosen === "system" ? scheme : scheme.includes(chosen) ? "all" : "not all";
    }
  });
}
