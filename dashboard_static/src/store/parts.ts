/** Snapshots come in numbered parts; nothing of one is shown before its last part is here. */

export interface Staging<T> {
  cursor: string;
  parts: number;
  received: T[];
}

export type Staged<T> =
  { state: "more"; staging: Staging<T> } | { state: "whole"; received: T[] } | { state: "broken" };

interface Part {
  cursor: string;
  part?: number;
  parts?: number;
}

/** A part out of turn or of another snapshot breaks the whole: the answer to that is a resync. */
export function stage<T extends Part>(staging: Staging<T> | null, frame: T): Staged<T> {
  const part = frame.part ?? 1;
  const parts = frame.parts ?? 1;
  const begun: Staging<T> | null = part === 1 ? { cursor: frame.cursor, parts, received: [] } : staging;
  const inTurn =
    begun !== null &&
    begun.cursor === frame.cursor &&
    begun.parts === parts &&
    begun.received.length === part - 1;
  if (!inTurn || part > parts) return { state: "broken" };
  const received = [...begun.received, frame];
  if (part === parts) return { state: "whole", received };
  return { state: "more", staging: { ...begun, received } };
}
