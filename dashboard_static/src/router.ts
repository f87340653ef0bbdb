/** The address after `#` decides the screen. */

import { signal } from "@preact/signals";

export type Route =
  | { screen: "board" }
  | { screen: "session"; id: string }
  | { screen: "history"; query: string };

export function parse(hash: string): Route {
  const past = /^#\/history(?:\?(.*))?$/.exec(hash);
  if (past) return { screen: "history", query: past[1] ?? "" };
  const match = /^#\/session\/([^/]+)$/.exec(hash);
  const id = match ? decoded(match[1]!) : null;
  return id === null ? { screen: "board" } : { screen: "session", id };
}

export const historyHref = (query = ""): string => (query ? `#/history?${query}` : "#/history");
export const sessionHref = (id: string): string => `#/session/${encodeURIComponent(id)}`;

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
