/** How much each model takes in, as far as the hub knows. Each name is asked for once, many at a time. */

import { signal } from "@preact/signals";
import { get } from "./api";

/** Null: the hub does not know it either. */
const known = signal<ReadonlyMap<string, number | null>>(new Map());
const asked = new Set<string>();
let wanted: string[] = [];

const NAMES_MAX = 50;
const TOGETHER_MS = 200;
const RETRY_MS = 60_000;

interface ModelsAnswer {
  models: Record<string, { context_tokens_max: number | null }>;
}

/** To be read while drawing; undefined until it is known whether it is known. */
export function contextMax(model: string | null): number | null | undefined {
  if (model === null) return null;
  const told = known.value.get(model);
  if (told === undefined && !asked.has(model)) want(model);
  return told;
}

function want(model: string): void {
  asked.add(model);
  // The hub takes names with commas in between.
  if (model.includes(",")) return;
  if (wanted.push(model) === 1) setTimeout(ask, TOGETHER_MS);
}

async function ask(): Promise<void> {
  const names = wanted;
  wanted = [];
  const next = new Map(known.peek());
  for (let from = 0; from < names.length; from += NAMES_MAX) {
    const some = names.slice(from, from + NAMES_MAX);
    const query = new URLSearchParams({ names: some.join(",") });
    const { body } = await get<ModelsAnswer>(`api/models?${query}`);
    if (!body) {
      setTimeout(() => some.forEach((name) => asked.delete(name)), RETRY_MS);
      continue;
    }
    for (const [name, { context_tokens_max }] of Object.entries(body.models)) next.set(name, context_tokens_max);
  }
  // With the next frame, as all that changes the board.
  requestAnimationFrame(() => (known.value = next));
}
