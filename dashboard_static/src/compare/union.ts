/** Maps of several sessions, whose names are an agent's own words. Pure. */

/** The names in any of several maps, those that weigh most first. */
export function union<T>(maps: readonly Record<string, T>[], weight: (value: T) => number): string[] {
  const weights = new Map<string, number>();
  for (const map of maps)
    for (const [name, value] of Object.entries(map))
      weights.set(name, (weights.get(name) ?? 0) + weight(value));
  return [...weights].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([name]) => name);
}
