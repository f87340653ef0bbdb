/** The row, or the head of a group, that the keys are about. */

import { signal } from "@preact/signals";

/** Kept while a session is open, so that Esc leads back to the row one came from. */
export const selected = signal<string | null>(null);
