/**
 * Alerts: one per item and browser, over reconnects, reloads and several tabs. What was open before
 * they were switched on is not told; what opened while no page was there is. Loaded if wanted.
 */

import { effect } from "@preact/signals";
import { hubNow } from "../clock";
import { unturned } from "../format";
import { connection } from "../hub";
import { items, row } from "../live";
import { t } from "../messages";
import { pins } from "../pins";
import type { Item } from "../protocol";
import { sessionHref } from "../router";
import { desktop, finished, sound, wanted } from "./alert_choices";
import { closeAllBut, show } from "./desktop";
import { Busy, due, keyOf } from "./due";
import { kindWord } from "./kind";
import { lead, leads } from "./leader";
import { namedNow, placeOf, titleOf } from "./names";
import { ring, unlock } from "./sound";
import { readTold, writeTold } from "./told";

const HEARD_MS = 10_000;
/** What opened so shortly before the last page was gone may not have come to it. */
const MARGIN_MS = 5000;
/** More at once are told by one notification. */
const EACH_MAX = 4;
const SUMMARY_MAX = 200;

let started = false;
let listening = false;
let since = 0;
/** What this page has seen; what the browser has told is looked up only for the rest. */
let seen = new Set<string>();
const busy = new Busy();

/** With `steal` this tab alerts from now on: it is the one that is used. */
export function startAlerts(steal = false): void {
  if (started) return lead(steal);
  started = true;
  effect(followItems);
  effect(followPins);
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, used, { capture: true, passive: true });
  setInterval(noteHeard, HEARD_MS);
  addEventListener("pagehide", noteHeard);
  lead(steal);
}

/** Nothing that is open already is news to whoever switches alerts on. */
export function noteSwitchedOn(): void {
  if (wanted.peek()) return;
  const open = openKeys();
  writeTold({ heard_at: hubNow(), keys: [...readTold().keys, ...open] }, open);
}

function used(): void {
  if (!wanted.peek()) return;
  if (sound.peek()) void unlock();
  lead(true);
}

function noteHeard(): void {
  if (leads.peek() && wanted.peek() && connection.peek() !== "offline")
    writeTold({ ...readTold(), heard_at: hubNow() }, openKeys());
}

const openKeys = (): Set<string> => new Set(items.peek().map(keyOf));

/** Whichever tab the switch was turned in: it has noted what is not to be told. */
function listen(): boolean {
  if (wanted.value && !listening) since = (readTold().heard_at ?? hubNow()) - MARGIN_MS;
  return (listening = wanted.value);
}

function followItems(): void {
  const open = items.value;
  closeAllBut(openKeys());
  if (!listen() || !leads.value) return;
  const fresh = due(open, since, seen);
  seen = new Set(open.map(keyOf));
  if (fresh.length === 0) return;
  const told = readTold();
  const known = new Set(told.keys);
  const untold = fresh.filter((item) => !known.has(keyOf(item)));
  if (untold.length === 0) return;
  writeTold({ ...told, keys: [...told.keys, ...untold.map(keyOf)] }, seen);
  if (sound.peek()) ring();
  if (!desktop.peek()) return;
  if (untold.length > EACH_MAX) showMany(untold);
  else for (const item of untold) void showItem(item);
}

function showMany(untold: readonly Item[]): void {
  const title = t("{count} need you", { count: untold.length });
  show({ tag: "many", keys: untold.map(keyOf), title, body: "", href: "#/" });
}

async function showItem(item: Item): Promise<void> {
  const session = await namedNow(item.session);
  // It may be over by the time that its session's name is here.
  if (!items.peek().some((each) => keyOf(each) === keyOf(item))) return;
  const about = [kindWord(item.kind), item.tool, ...placeOf(session)].filter(Boolean).join(" · ");
  show({
    tag: keyOf(item),
    keys: [keyOf(item)],
    title: titleWords(item, unturned(titleOf(session, item.session))),
    body: unturned(`${about}\n${item.summary.slice(0, SUMMARY_MAX)}`),
    href: sessionHref(item.session),
  });
}

function titleWords({ kind }: Item, title: string): string {
  if (kind === "failure") return t("{title} has failed", { title });
  if (kind === "budget") return t("{title} comes to the end of a budget", { title });
  return t("{title} needs you", { title });
}

function followPins(): void {
  const done = busy.round(pins.value, (id) => row(id).value?.status);
  if (!finished.value || !wanted.peek() || !leads.peek()) return;
  for (const id of done) tellFinished(id);
}

function tellFinished(id: string): void {
  const session = row(id).peek()!;
  // A failure waits for a person: that is an alert of its own.
  if (items.peek().some((item) => item.session === id && item.kind === "failure")) return;
  const key = `finished:${id}@${session.status_since}`;
  const told = readTold();
  if (told.keys.includes(key)) return;
  writeTold({ ...told, keys: [...told.keys, key] }, openKeys());
  if (sound.peek()) ring();
  if (!desktop.peek()) return;
  const title = t("{title} has finished", { title: unturned(titleOf(session, id)) });
  show({ tag: key, title, body: unturned(placeOf(session).filter(Boolean).join(" · ")), href: sessionHref(id) });
}
