/**
 * Words in the reader's language. English is written where it is used and is itself the key, so
 * what nobody has translated yet reads as English; another language is one file in `languages/`.
 * To be called while drawing, never when a module is loaded: the language is not known by then.
 */

import { computed, signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { preference } from "./preferences";

export type Values = Record<string, string | number>;
/** By the English text; by plural category (`one`, `other`, …) where a number decides. */
type Catalogue = Record<string, string | Partial<Record<Intl.LDMLPluralRule, string>>>;

const ENGLISH = "en";
const files = import.meta.glob<string>("./languages/*.json", { query: "?url", import: "default", eager: true });
const paths = new Map(Object.entries(files).map(([path, url]) => [/(\w[\w-]*)\.json$/.exec(path)![1]!, url]));

export const LANGUAGES: readonly string[] = [ENGLISH, ...paths.keys()];

/** What was chosen; "" is the browser's own. */
export const chosenLanguage = preference<string>("language", "", (told) =>
  LANGUAGES.find((each) => each === told),
);
/** The language that is shown. Whatever is drawn anew when it changes is drawn in it. */
export const language = signal(ENGLISH);
let catalogue: Catalogue = {};

/** Of dates and numbers: a British reader of English has British ones. */
export const locale = computed(() =>
  language.value === ENGLISH && !chosenLanguage.value ? undefined : language.value,
);

export function languageOf(chosen: string, wanted: readonly string[]): string {
  if (chosen) return chosen;
  for (const each of wanted) {
    const [primary] = each.toLowerCase().split("-");
    if (LANGUAGES.includes(primary!)) return primary!;
  }
  return ENGLISH;
}

/** Its own name for itself. */
export function nameOfLanguage(code: string): string {
  return new Intl.DisplayNames([code], { type: "language" }).of(code) ?? code;
}

let wanted = "";

/** Brings the words before anything is shown in the language; without them English stays. */
export async function speak(code: string): Promise<void> {
  wanted = code;
  const path = paths.get(code);
  const words = path ? await catalogueAt(path) : null;
  // Another may have been chosen while these were on their way.
  if (wanted === code) use(words ? code : ENGLISH, words ?? {});
}

async function catalogueAt(path: string): Promise<Catalogue | null> {
  try {
    return (await (await fetch(path)).json()) as Catalogue;
  } catch {
    return null;
  }
}

export function use(code: string, words: Catalogue): void {
  catalogue = words;
  language.value = code;
  if (typeof document !== "undefined") document.documentElement.lang = code;
}

/** The words, with `{name}` replaced by the value of that name. */
export function t(english: string, values?: Values): string {
  const told = catalogue[english];
  return filled(typeof told === "string" ? told : english, values);
}

/** Marks English that is translated only where it is drawn. */
export const later = (english: string): string => english;

/** The words for so many, `{count}` being the number as it is to be read. `many` is the key. */
export function plural(count: number, one: string, many: string, values: Values = { count }): string {
  const told = catalogue[many];
  if (told === undefined) return filled(count === 1 ? one : many, values);
  if (typeof told === "string") return filled(told, values);
  return filled(told[new Intl.PluralRules(language.peek()).select(count)] ?? told.other ?? many, values);
}

/** The same with elements in it, which a translation may put elsewhere. */
export function rich(english: string, elements: Record<string, ComponentChildren>): ComponentChildren[] {
  return t(english)
    .split(/\{(\w+)\}/)
    .map((part, at) => (at % 2 === 1 && part in elements ? elements[part] : part));
}

function filled(words: string, values: Values | undefined): string {
  return values ? words.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole)) : words;
}
