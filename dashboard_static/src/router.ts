/** The address after `#` decides the screen. */

import { signal } from "@preact/signals";

export type Route = { screen: "board" } | { screen: "session"; id: string };

export function parse(hash: string): Route {
  const match = /^#\/session\/([^/]+)$/.exec(hash);
  const id = match ? decoded(match[1]!) : null;
  return id === null ? { screen: "board" } : { screen: "session", id };
}

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

export function startRouter(): void {
  const read = () => {
    route.value = parse(location.hash);
  };
  addEventListener("hashchange", read);
  read();
}

export function go(href: string): void {
  location.hash = href;
}
