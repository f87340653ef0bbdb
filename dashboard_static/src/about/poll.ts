/** Asks the worker for its figures, every two seconds while somebody can see them. */

import { signal } from "@preact/signals";
import type { Answer } from "../api";
import { Question } from "../question";
import { isOperator } from "../hub";
import type { About, Client } from "./answers";
import { kept } from "./window";

const EVERY_MS = 2000;

export const held = signal<readonly About[]>([]);
export const clients = signal<{ worker: string; clients: Client[] } | null>(null);
export const failed = signal("");

/** Returns what ends it. */
export function poll(): () => void {
  const question = new Question();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ask = async () => {
    const paths = isOperator() ? ["api/about", "api/clients"] : ["api/about"];
    const answers = document.hidden ? [] : await question.ask(paths);
    if (!answers) return;
    const [about, told] = answers as [Answer<About>?, Answer<{ worker: string; clients: Client[] }>?];
    if (about) failed.value = about.words;
    if (about?.body) held.value = kept(held.peek(), about.body);
    if (told?.body) clients.value = told.body;
    timer = setTimeout(() => void ask(), EVERY_MS);
  };
  void ask();
  return () => {
    question.stop();
    clearTimeout(timer);
  };
}
