/** The sessions that were asked for, as far as they were loaded. They stay, so that Back finds them. */

import { signal } from "@preact/signals";
import type { Summary } from "../protocol";
import type { Hit, Page } from "./answers";
import { sessionsPath } from "./asked";
import { Question } from "../question";

export interface Listing {
  /** What the rows are the answer to. */
  query: string | null;
  rows: Summary[];
  hits: Record<string, Hit>;
  next: string | null;
  total: number;
}

export const PAGE = 50;
const ROWS_MAX = 1000;
const NOTHING: Listing = { query: null, rows: [], hits: {}, next: null, total: 0 };

export const listing = signal<Listing>(NOTHING);
export type Part = "list" | "more";
export const busy = signal<Part | null>(null);
export const failed = signal<{ part: Part; words: string } | null>(null);

const question = new Question();

/** Old rows stay until the new ones are here. The same question again brings as many as there were. */
export async function load(query: string): Promise<void> {
  const { query: before, rows } = listing.peek();
  const limit = before === query ? Math.min(Math.max(PAGE, rows.length), ROWS_MAX) : PAGE;
  const page = await ask("list", sessionsPath(query, { limit: String(limit) }));
  if (page) listing.value = joined({ ...NOTHING, query }, page);
}

export async function loadMore(): Promise<void> {
  const { query, next } = listing.peek();
  if (query === null || next === null || busy.peek()) return;
  const page = await ask("more", sessionsPath(query, { limit: String(PAGE), cursor: next }));
  if (page) listing.value = joined(listing.peek(), page);
}

export function stop(): void {
  question.stop();
  busy.value = null;
}

async function ask(part: Part, path: string): Promise<Page | null> {
  busy.value = part;
  const answers = await question.ask([path]);
  if (!answers) return null;
  const { body, words } = answers[0]!;
  busy.value = null;
  failed.value = body ? null : { part, words };
  return body as Page | null;
}

/** A session that worked on between two pages may stand on both: it keeps its first place. */
export function joined(before: Listing, page: Page): Listing {
  const here = new Set(before.rows.map((row) => row.id));
  return {
    query: before.query,
    rows: [...before.rows, ...page.sessions.filter((row) => !here.has(row.id))],
    hits: { ...before.hits, ...page.hits },
    next: page.next,
    total: page.total,
  };
}
