/**
 * What the hub knows of models: how much each takes in, and which table prices their calls. Each name
 * is asked for once, many at a time; the table changes with the release, not with the session.
 */

import { signal } from "@preact/signals";
import { get } from "./api";
import type { Prices } from "./protocol";

/** Null: the hub does not know it either. */
const known = signal<ReadonlyMap<string, number | null>>(new Map());
const asked = new Set<string>();
let wanted: string[] = [];
let timer: ReturnType<typeof setTimeout> | null = null;
/** Null until a first answer tells of it. */
export const prices = signal<Prices | null>(null);

const NAMES_MAX = 50;
const TOGETHER_MS = 200;
const RETRY_MS = 60_000;

interface ModelsAnswer {
  models: Record<string, { context_tokens_max: number | null }>;
  prices: Prices;
}

/** To be read while drawing; undefined until it is known whether it is known. */
export function contextMax(model: string | null): number | null | undefined {
  if (model === null) return null;
  const told = known.value.get(model);
  if (told === undefined && !asked.has(model)) want(model);
  return told;
}

export function askPrices(): void {
  if (prices.peek() === null) soon();
}

function want(model: string): void {
  asked.add(model);
  // The hub takes names with commas in between.
  if (model.includes(",")) return;
  wanted.push(model);
  soon();
}

function soon(): void {
  timer ??= setTimeout(() => void ask(), TOGETHER_MS);
}

async function ask(): Promise<void> {
  timer = null;
  const names = wanted;
  wanted = [];
  const next = new Map(known.peek());
  let table: Prices | null = null;
  let from = 0;
  do {
    const some = names.slice(from, from + NAMES_MAX);
    const query = new URLSearchParams({ names: some.join(",") });
    const { body } = await get<ModelsAnswer>(`api/models?${query}`);
    for (const [name, { context_tokens_max }] of Object.entries(body?.models ?? {})) next.set(name, context_tokens_max);
    table ??= body?.prices ?? null;
    if (!body) setTimeout(() => some.forEach((name) => asked.delete(name)), RETRY_MS);
    from += NAMES_MAX;
  } while (from < names.length);
  // With the next frame, as all that changes the board.
  requestAnimationFrame(() => {
    known.value = next;
    if (table) prices.value = table;
  });
}
