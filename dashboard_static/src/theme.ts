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
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
  });
}
