/** The few HTTP requests of the page. Same origin, cookie only; no credential is ever kept here. */

import { isoDay } from "./format";
import { t } from "./messages";

export interface Me {
  role: string;
  workspace: string;
  auth: boolean;
}

export type Answer<T> = { status: number; body: T | null; words: string };

export async function get<T>(
  path: string,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
  patience_ms = 30_000,
): Promise<Answer<T> & { etag: string | null }> {
  // On a line that was cut nobody ever answers, and a browser has few places for requests.
  const late = new AbortController();
  const giveUp = () => late.abort();
  let timer = setTimeout(giveUp, patience_ms);
  try {
    const response = await fetch(path, {
      headers: { Accept: "application/json", ...headers },
      cache: "no-store",
      signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
    });
    clearTimeout(timer);
    timer = setTimeout(giveUp, 10 * patience_ms);
    const body = response.status === 304 ? null : await json(response);
    return {
      status: response.status,
      body: response.ok ? (body as T) : null,
      words: response.ok ? "" : problem(body, response.status),
      etag: response.headers.get("ETag"),
    };
  } catch {
    return { status: 0, body: null, words: t("The tower cannot be reached."), etag: null };
  } finally {
    clearTimeout(timer);
  }
}

export async function login(credential: { token: string } | { code: string }): Promise<Answer<null>> {
  try {
    const response = await fetch("login", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(credential),
      redirect: "manual",
    });
    const done = response.ok || response.type === "opaqueredirect";
    return {
      status: done ? 204 : response.status,
      body: null,
      words: done ? "" : problem(await json(response), response.status),
    };
  } catch {
    return { status: 0, body: null, words: t("The tower cannot be reached.") };
  }
}

/** Something that a person does to a session. What it changed is told by the hub, not by the answer. */
export async function act(method: string, path: string, body?: object): Promise<Answer<null>> {
  try {
    const response = await fetch(path, {
      method,
      headers: { Accept: "application/json", ...(body && { "Content-Type": "application/json" }) },
      body: body && JSON.stringify(body),
    });
    const { ok, status } = response;
    return { status, body: null, words: ok ? "" : problem(await json(response), status) };
  } catch {
    return { status: 0, body: null, words: t("The tower cannot be reached.") };
  }
}

async function json(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return null;
  }
}

function problem(body: unknown, status: number): string {
  const details = body as { detail?: unknown; title?: unknown } | null;
  for (const words of [details?.detail, details?.title]) if (typeof words === "string" && words) return words;
  return t("The tower answered {status}.", { status });
}

export const attentionPath = (id: string): string => `api/attention/${encodeURIComponent(id)}`;
export const livePath = (id: string): string => `api/live/${encodeURIComponent(id)}`;
export const sessionPath = (id: string): string => `api/sessions/${encodeURIComponent(id)}`;
export const entryPath = (session: string, entry: string): string =>
  `${sessionPath(session)}/entries/${encodeURIComponent(entry)}`;
export const timelinePath = (session: string, before: number, limit: number): string =>
  `${sessionPath(session)}/timeline?before=${before}&limit=${limit}`;
/** What was spent on this day, of UTC. */
export const todayUsagePath = (): string => `api/usage?by=day&since=${isoDay(Date.now())}`;
