/**
 * What a person has chosen in this browser. Kept by it, the same in all its tabs, sent nowhere.
 * Whatever is found there is looked at before it is believed: an older page may have left it.
 */

import { signal, type Signal } from "@preact/signals";

const PREFIX = "tower.";
const listeners = new Map<string, (text: string | null) => void>();

/** A signal that outlives the page. `accept` gives undefined for what makes no sense. */
export function preference<T>(name: string, fallback: T, accept: (told: unknown) => T | undefined): Signal<T> {
  const key = PREFIX + name;
  const held = signal(parsed(kept(key), fallback, accept));
  let text = JSON.stringify(held.peek());
  held.subscribe((value) => {
    const next = JSON.stringify(value);
    if (next === text) return;
    text = next;
    keep(key, next);
  });
  listeners.set(key, (told) => {
    text = told ?? JSON.stringify(fallback);
    held.value = parsed(told, fallback, accept);
  });
  return held;
}

export const oneOf =
  <T extends string>(...known: readonly T[]) =>
  (told: unknown): T | undefined =>
    known.find((each) => each === told);

export const yesOrNo = (told: unknown): boolean | undefined => (typeof told === "boolean" ? told : undefined);

/** Texts, the latest of them. */
export const texts =
  (most: number) =>
  (told: unknown): readonly string[] | undefined =>
    Array.isArray(told) && told.every((each) => typeof each === "string") ? told.slice(-most) : undefined;

/** With the text, or without where it was; one more than there is room for takes the place of the first. */
export const toggled = (before: readonly string[], text: string, most: number): readonly string[] =>
  before.includes(text) ? before.filter((each) => each !== text) : [...before, text].slice(-most);

/** What another tab has chosen holds here too. */
export function followOtherTabs(): void {
  addEventListener("storage", ({ key, newValue }) => listeners.get(key ?? "")?.(newValue));
}

function parsed<T>(text: string | null, fallback: T, accept: (told: unknown) => T | undefined): T {
  try {
    return text === null ? fallback : (accept(JSON.parse(text)) ?? fallback);
  } catch {
    return fallback;
  }
}

/** A browser may refuse to keep anything: then a choice lasts as long as the page. */
function kept(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function keep(key: string, text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch {
    // As above.
  }
}
