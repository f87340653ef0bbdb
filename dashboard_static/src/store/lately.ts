/**
 * Requests of the last seconds, the latest of each kind. A refusal for asking too often does not
 * say what it refused, so all of these are asked again; each once, or the refusals never end.
 */

import type { ClientFrame } from "../protocol";

export const LATELY_MS = 5000;

export class Lately {
  private sent = new Map<string, { frame: ClientFrame; at: number }>();

  note(frame: ClientFrame, now: number): void {
    const key = keyOf(frame);
    if (key === null) return;
    this.sent.delete(key);
    this.sent.set(key, { frame, at: now });
  }

  /** What to ask again, in the order of the asking; it is forgotten with that. */
  take(now: number): ClientFrame[] {
    const recent = [...this.sent.values()].filter(({ at }) => now - at <= LATELY_MS);
    this.clear();
    return recent.map(({ frame }) => frame);
  }

  clear(): void {
    this.sent.clear();
  }
}

/** Opening and closing a session share a key: only the last word about it counts. */
function keyOf(frame: ClientFrame): string | null {
  switch (frame.type) {
    case "subscribe":
    case "unsubscribe":
      return `session ${frame.session}`;
    case "resync":
      return `resync ${frame.scope} ${frame.session ?? ""}`;
    case "activate":
    case "view":
    case "rate":
      return frame.type;
    default:
      return null;
  }
}
