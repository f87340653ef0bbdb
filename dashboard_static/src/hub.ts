/** Ties socket, poller and model together, and holds what a person can do to them. */

import { computed, effect, signal } from "@preact/signals";
import { act, get, type Me } from "./api";
import { heardTime, now } from "./clock";
import type { Verdict } from "./closes";
import { CLOSED, Connection, type Link } from "./connection";
import { connectionState } from "./connection_state";
import { changed, flush, model, overviewCurrent } from "./live";
import { Poller } from "./polling";
import type { ClientFrame, FrameOf, ServerFrame } from "./protocol";
import { t } from "./messages";
import { route } from "./router";
import { close, disconnect, hello, leave, open, receive, resubscribe, retry, type Outcome } from "./store";
import { Lately } from "./store/lately";
import { emptyOutcome } from "./store/outcome";
import { Repair } from "./store/repair";
import { currentView, followView } from "./view";
import { endAwaited, notify } from "./words";

export type Screen = "loading" | "login" | "expired" | "forbidden" | "app";

export const screen = signal<Screen>("loading");
export const me = signal<Me | null>(null);
/** Viewers look on. */
export const isOperator = (): boolean => me.value?.role === "operator";
export const link = signal<Link>({ ...CLOSED, phase: "connecting" });
const polling = signal(false);
const told_behind = signal(false);

export const SUBSCRIPTIONS = 4;
const ATTEMPTS_BEFORE_POLLING = 3;
const REPAIR_MS = 5000;
/** Where the hub did not say how long to wait. */
const RETRY_MS = 2000;

export const connection = computed(() => {
  now.value;
  return connectionState({
    link: link.value,
    polling: polling.value,
    overviewCurrent: overviewCurrent.value,
    told_behind: told_behind.value,
    now: Date.now(),
  });
});

const rate = () => (document.hidden ? 1 : 60);

const socketUrl = () => new URL("ws", location.href.split("#")[0]).href.replace(/^http/, "ws");

const socket = new Connection(
  socketUrl(),
  {
    hello: () => hello(model, rate(), SUBSCRIPTIONS, currentView()),
    frame: received,
    link: (value) => (link.value = value),
    lost,
  },
  () => document.hidden,
);

const lately = new Lately();
let asking: ReturnType<typeof setTimeout> | null = null;

const poller = new Poller({
  opened: () => [...model.holds.values()].filter((hold) => !hold.quiet).map((hold) => hold.session),
  frame: received,
  answered: (status) => {
    const was = polling.peek();
    polling.value = status === 200 || status === 304;
    // Who answers again may also take sockets again; who is gone leaves old values behind.
    if (polling.peek() && !was) wake();
    if (was && !polling.peek()) changed(disconnect(model, false));
    if (status === 401) signedOut();
    if (status === 403) stop("forbidden");
  },
});

function received(frame: ServerFrame): void {
  const outcome = receive(model, frame);
  send(outcome.requests);
  changed(outcome);
  if ("now" in frame) heardTime(frame.now);
  if (frame.type === "welcome") welcomed();
  else if (frame.type === "notice") notify(frame);
  else if (frame.type === "heartbeat") told_behind.value = false;
  else if (frame.type === "session.stale" && frame.reason === "slow") told_behind.value = true;
  else if (frame.type === "error") refused(frame);
}

function welcomed(): void {
  screen.value = "app";
  poller.stop();
  polling.value = false;
  told_behind.value = false;
  endAwaited();
  if (is_unknown) void askWho();
  send(resubscribe(model));
}

/** What was refused for now is tried again, once; the session's own page says so. */
function refused({ code, session, message, retry_ms }: FrameOf<"error">): void {
  if (session) {
    setTimeout(() => {
      send(retry(model, session));
      touched(session);
    }, retry_ms ?? RETRY_MS);
  } else if (retry_ms === undefined) {
    // A snapshot asked for too often: what is missing is asked for again by itself.
    if (code !== "rate") notify({ level: "warning", code, message });
  } else {
    notify({ level: "info", code, message: t("{what} Trying again.", { what: t(sentence(message)) }) });
    asking ??= setTimeout(askAgain, retry_ms);
  }
}

function askAgain(): void {
  asking = null;
  lately.take(Date.now()).forEach((frame) => socket.send(frame));
}

/** The hub's words begin small and end without a full stop where they are part of an error. */
function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

function lost(verdict: Verdict, failures: number): void {
  // The next hello says all of it anew.
  lately.clear();
  // An attempt that came to nothing says nothing of what polling keeps right meanwhile.
  if (failures === 0 || verdict.drop_cursors) changed(disconnect(model, verdict.drop_cursors));
  if (verdict.sign_in) return signedOut();
  if (verdict.forbidden) return stop("forbidden");
  if (failures >= ATTEMPTS_BEFORE_POLLING) poller.start();
  // A browser cannot see why a handshake was refused; this request can.
  void get<Me>("api/me").then(({ status }) => {
    if (status === 401) signedOut();
    else if (status === 403) stop("forbidden");
  });
}

function signedOut(): void {
  const left = screen.peek();
  stop(left === "app" || left === "expired" ? "expired" : "login");
}

/** Ends this browser's sign-in, in every tab and at every worker. */
export async function signOut(): Promise<void> {
  const { status, words } = await act("POST", "logout");
  if (status === 204) stop("login");
  else notify({ code: "sign_out", level: "warning", message: words });
}

function stop(to: Screen): void {
  entry++;
  socket.stop();
  poller.stop();
  polling.value = false;
  screen.value = to;
}

/** Which attempt to enter is under way; a screen that the hub has ordered since then ends it. */
let entry = 0;

/** Asks who we are and opens the socket at once: the board should not wait for two round trips. */
export async function enter(): Promise<void> {
  const mine = ++entry;
  me.value = null;
  socket.start();
  const { status, body } = await get<Me>("api/me");
  if (mine !== entry) return;
  if (status === 401) return stop("login");
  if (status === 403) return stop("forbidden");
  is_unknown = body === null;
  if (body) known(body);
  screen.value = "app";
}

let is_unknown = false;
let workspace: string | null = null;

/** What is held of one workspace is nothing to another: there the page begins anew. */
function known(told: Me): void {
  if (workspace !== null && workspace !== told.workspace) return location.reload();
  workspace = told.workspace;
  me.value = told;
}

/** Nobody answered when the page was opened; whoever is heard now can. */
async function askWho(): Promise<void> {
  is_unknown = false;
  const { body } = await get<Me>("api/me");
  if (body) known(body);
  else is_unknown = true;
}

/** Whatever was open may be dead since, and whoever was away may be there again. */
export const wake = (): void => socket.wake(Date.now());

export function retryNow(): void {
  socket.again();
}

function send(frames: ClientFrame[]): void {
  for (const frame of frames) {
    lately.note(frame, Date.now());
    socket.send(frame);
  }
}

function touched(...ids: string[]): void {
  const outcome: Outcome = emptyOutcome();
  for (const id of ids) outcome.sessions.add(id);
  changed(outcome);
}

export function openSession(id: string): void {
  send(open(model, id));
  touched(id);
  flush();
}

export function closeSession(id: string): void {
  send(close(model, id));
  touched(id);
}

function followRoute(): void {
  const at = route.value;
  if (at.screen === "session") openSession(at.id);
  else send(leave(model));
}

export function startHub(): void {
  effect(followRoute);
  followView((frame) => send([frame]));
  const repair = new Repair();
  setInterval(() => send(repair.round(model)), REPAIR_MS);
  document.addEventListener("visibilitychange", () => {
    if (link.peek().phase === "open") send([{ type: "rate", hz: rate() }]);
    if (!document.hidden) {
      flush();
      wake();
    }
  });
  addEventListener("online", wake);
  addEventListener("pageshow", wake);
}
