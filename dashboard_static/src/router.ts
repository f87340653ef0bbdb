/** The address after `#` decides the screen. */

import { signal } from "@preact/signals";

export type Route =
  | { screen: "board" }
  /** `entry` is where in its timeline, by the entry's `seq`. */
  | { screen: "session"; id: string; entry: number | null }
  | { screen: "history"; query: string }
  | { screen: "compare"; ids: readonly string[] }
  | { screen: "about" };

export function parse(hash: string): Route {
  const [path = "", query = ""] = hash.split(/\?(.*)/s, 2);
  if (path === "#/history") return { screen: "history", query };
  if (path === "#/about") return { screen: "about" };
  if (path === "#/compare") return { screen: "compare", ids: idsOf(query) };
  const match = /^#\/session\/([^/]+)$/.exec(path);
  const id = match ? decoded(match[1]!) : null;
  return id === null ? { screen: "board" } : { screen: "session", id, entry: entryOf(query) };
}

export const historyHref = (query = ""): string => (query ? `#/history?${query}` : "#/history");
export const sessionHref = (id: string): string => `#/session/${encodeURIComponent(id)}`;
export const entryHref = (id: string, seq: number): string => `${sessionHref(id)}?entry=${seq}`;
export const compareHref = (ids: readonly string[]): string =>
  ids.length > 0 ? `#/compare?${ids.map((id) => `id=${encodeURIComponent(id)}`).join("&")}` : "#/compare";

const idsOf = (query: string): string[] => [...new Set(new URLSearchParams(query).getAll("id"))];

function entryOf(query: string): number | null {
  const told = new URLSearchParams(query).get("entry") ?? "";
  return /^\d{1,15}$/.test(told) ? Number(told) : null;
}

/** The one-time code, taken out of the fragment so that it stays in no address bar and no history. */
export function takeCode(): string | null {
  const match = /^#code=(.+)$/.exec(location.hash);
  if (!match) return null;
  history.replaceState(null, "", `${location.pathname}${location.search}#/`);
  return decoded(match[1]!);
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

export const route = signal<Route>({ screen: "board" });

function read(): void {
  route.value = parse(location.hash);
}

export function startRouter(): void {
  addEventListener("hashchange", read);
  read();
}

export function go(href: string): void {
  location.hash = href;
}

/** The same without a step for Back: one for every letter that is typed would be too many. */
export function goInstead(href: string): void {
  history.replaceState(null, "", href);
  read();
}
