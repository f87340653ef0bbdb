/** Desktop notifications: one per alert, gone when what it told of is over. */

import { signal } from "@preact/signals";
import { go } from "../router";

export type Permission = NotificationPermission | "unsupported";

/** Some browsers know notifications but let no page make one. */
const refused = signal(false);

export function permission(): Permission {
  if (refused.value || !("Notification" in window) || !isSecureContext) return "unsupported";
  return Notification.permission;
}

/** Asks only where nobody has answered yet. */
export async function askPermission(): Promise<Permission> {
  if (permission() === "default") await Notification.requestPermission();
  return permission();
}

interface Note {
  /** Of two with one tag only one is on the desktop. */
  tag: string;
  /** What it tells of: it is closed when none of them is open. Without any, the person closes it. */
  keys?: readonly string[];
  title: string;
  body: string;
  href: string;
}

const shown = new Map<Notification, readonly string[]>();

export function show({ tag, keys, title, body, href }: Note): void {
  if (permission() !== "granted") return;
  try {
    const note = new Notification(title, { body, tag, icon: "icon-192.png" });
    if (keys) shown.set(note, keys);
    note.onclose = () => shown.delete(note);
    note.onclick = () => {
      focus();
      go(href);
      note.close();
    };
  } catch {
    refused.value = true;
  }
}

export function closeAllBut(open: ReadonlySet<string>): void {
  for (const [note, keys] of shown) {
    if (keys.some((key) => open.has(key))) continue;
    shown.delete(note);
    note.close();
  }
}
