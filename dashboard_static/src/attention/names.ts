/** Where an item comes from: by its session's row or, where the view has none, asked of the hub once. */

import { computed, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { get, sessionPath } from "../api";
import { row } from "../live";
import type { Summary } from "../protocol";
import { isDrawn } from "../startup";

export type Named = Pick<Summary, "host" | "user" | "project" | "title">;

const ASKED_MAX = 256;
const asked = new Map<string, Signal<Named | null>>();
/** One after the other: an inbox full of sessions that are out of view is no reason for a storm. */
let line: Promise<unknown> = Promise.resolve();

export const named = (id: string): ReadonlySignal<Named | null> =>
  computed(() => row(id).value ?? (isDrawn.value ? ask(id).value : null));

const asking = (id: string) => get<Named>(sessionPath(id));

/** For who cannot wait until the others were asked. */
export const namedNow = async (id: string): Promise<Named | null> => row(id).peek() ?? (await asking(id)).body;

function ask(id: string): Signal<Named | null> {
  const known = asked.get(id);
  if (known) return known;
  const answer = signal<Named | null>(null);
  asked.set(id, answer);
  if (asked.size > ASKED_MAX) asked.delete(asked.keys().next().value!);
  line = line.then(async () => {
    const { body, status } = await asking(id);
    answer.value = body;
    // Whoever could not be asked is asked again when its item is drawn anew.
    if (!body && status !== 404) asked.delete(id);
  });
  return answer;
}

/** Who sits at the terminal in question; "" where that is not known. */
export const whoOf = (session: Named | null): string =>
  session ? [session.user, session.host].filter(Boolean).join("@") : "";

export const titleOf = (session: Named | null, id: string): string =>
  session?.title || session?.project || id.slice(0, 8);

export function placeOf(session: Named | null): (string | null)[] {
  return session ? [whoOf(session), session.title ? session.project : null] : [];
}
