/** Without a socket the snapshots are fetched every two seconds, by ETag, and the page says so. */

import { get, livePath } from "./api";
import type { Detail, Entry, FrameOf, Item, ServerFrame, Summary, Totals } from "./protocol";

const EVERY_MS = 2000;
/** Until an answer begins; what is lost on a line that was cut is asked for again soon. */
const ANSWER_MS = 3000;
/** While nobody answers, a dead line and a dead connection behind it may not cost 5 s together. */
const HASTY_MS = 1500;
const AGAIN_MS = 500;
/** Of so many attempts one is patient: a hub may be slow, and there all the same. */
const PATIENT_EVERY = 4;

export interface LiveOverview {
  cursor: string;
  sessions: Summary[];
  attention: Item[];
  totals: Totals;
}

export type LiveSession = Partial<FrameOf<"session.snapshot">> & Partial<Detail>;

interface Handlers {
  opened(): string[];
  frame(frame: ServerFrame): void;
  /** 200 or 304, or what came instead. */
  answered(status: number): void;
}

export function overviewFrames(body: LiveOverview): ServerFrame[] {
  return [
    {
      type: "overview.snapshot",
      cursor: body.cursor,
      part: 1,
      parts: 1,
      sessions: body.sessions,
      totals: body.totals,
    },
    { type: "attention", cursor: body.cursor, full: true, part: 1, parts: 1, open: body.attention },
  ];
}

/** Takes the frame's own shape, and also summary and detail in one flat object. */
export function sessionFrame(session: string, body: LiveSession): FrameOf<"session.snapshot"> {
  const detail = body.detail ?? (body as Partial<Detail>);
  const timeline: Entry[] = body.timeline ?? detail.timeline ?? [];
  return {
    type: "session.snapshot",
    session,
    cursor: body.cursor ?? "",
    part: 1,
    parts: 1,
    detail,
    timeline,
    live: true,
  };
}

export class Poller {
  private timer: ReturnType<typeof setTimeout> | null = null;
  private etags = new Map<string, string>();
  private round = 0;
  private unanswered = 0;

  constructor(private readonly handlers: Handlers) {}

  start(): void {
    if (this.timer !== null) return;
    this.etags.clear();
    this.timer = setTimeout(() => void this.poll(++this.round), 0);
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.round++;
  }

  private async poll(round: number): Promise<void> {
    const current = () => round === this.round;
    const overview = await this.fetch<LiveOverview>("api/live");
    if (!current()) return;
    if (overview.body) overviewFrames(overview.body).forEach((frame) => this.handlers.frame(frame));
    const answers = overview.status === 304 || overview.body !== null;
    this.handlers.answered(answers || overview.status !== 200 ? overview.status : 0);
    // What was shown may have been marked as old since: only a whole answer makes it new again.
    if (!answers) this.etags.clear();
    this.unanswered = answers ? 0 : this.unanswered + 1;
    for (const id of answers ? this.handlers.opened() : []) {
      const { status, body, words } = await this.fetch<LiveSession>(livePath(id));
      if (!current()) return;
      if (body) this.handlers.frame(sessionFrame(id, body));
      if (status === 404)
        this.handlers.frame({ type: "error", code: "unknown_session", session: id, message: words });
    }
    if (current()) this.timer = setTimeout(() => void this.poll(round), answers ? EVERY_MS : AGAIN_MS);
  }

  private patience_ms(): number {
    return this.unanswered % PATIENT_EVERY === 0 ? ANSWER_MS : HASTY_MS;
  }

  private async fetch<T>(path: string) {
    const etag = this.etags.get(path);
    const answer = await get<T>(path, etag ? { "If-None-Match": etag } : {}, undefined, this.patience_ms());
    if (answer.etag && answer.body) this.etags.set(path, answer.etag);
    return answer;
  }
}
