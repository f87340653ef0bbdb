/**
 * What this browser has alerted to, over reloads and in all its tabs, and when it last listened.
 * Bounded: of what is open no longer only the latest is remembered.
 */

const KEY = "tower.alerts";
const CLOSED_MAX = 500;

export interface Told {
  /** By the hub's clock; null before the first time. */
  heard_at: number | null;
  keys: readonly string[];
}

export function readTold(): Told {
  try {
    const { heard_at, keys } = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Told>;
    return {
      heard_at: typeof heard_at === "number" ? heard_at : null,
      keys: Array.isArray(keys) ? keys.filter((key) => typeof key === "string") : [],
    };
  } catch {
    return { heard_at: null, keys: [] };
  }
}

export function writeTold(told: Told, open: ReadonlySet<string>): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...told, keys: bounded(told.keys, open) }));
  } catch {
    // A browser that keeps nothing alerts once per page.
  }
}

export function bounded(keys: readonly string[], open: ReadonlySet<string>): string[] {
  const unique = [...new Set(keys)];
  return [...unique.filter((key) => !open.has(key)).slice(-CLOSED_MAX), ...unique.filter((key) => open.has(key))];
}
