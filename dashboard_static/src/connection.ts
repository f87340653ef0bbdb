/**
 * The socket: opens, greets, acknowledges, listens for the heartbeat, and returns after a loss.
 * Knows nothing of sessions; every frame goes to the handlers in the order of its coming.
 */

import { Acks } from "./acks";
import { quickDelay, retryDelay, SHORTEST_MS, verdict, type Verdict } from "./closes";
import { LATE_MS } from "./connection_state";
import type { ClientFrame, Hello, ServerFrame } from "./protocol";
import { nothingReceived, received } from "./received";

export type Phase = "connecting" | "open" | "retrying" | "stopped";

export interface Link {
  phase: Phase;
  /** Attempts in a row that never came to a welcome. */
  failures: number;
  retry_at: number | null;
  heard_at: number | null;
  /** Why the last connection ended; null while one is open. */
  code: number | null;
  words: string;
}

export interface Handlers {
  hello(): Hello;
  frame(frame: ServerFrame): void;
  link(link: Link): void;
  lost(verdict: Verdict, failures: number): void;
}

const SILENCE_MS = 25_000;
/** Any frame answers the question whether the line is dead, so that a slow one is not taken for it. */
const ANSWER_MS = 3000;
const WELCOME_MS = 5000;
/** The first attempts hang no longer than this where nobody answers; those behind them may be slow. */
const OPENING_MS = 3000;
const PATIENT_MS = 10_000;
const HASTY_ATTEMPTS = 3;
const LOST = 1006;

export const CLOSED: Link = {
  phase: "stopped",
  failures: 0,
  retry_at: null,
  heard_at: null,
  code: null,
  words: "",
};

export class Connection {
  private socket: WebSocket | null = null;
  private acks: Acks | null = null;
  private link: Link = CLOSED;
  /** Since a heartbeat was heard: a hub that greets and falls over is left more and more time. */
  private losses = 0;
  private began_at = 0;
  private asking = false;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private bye: { code: number; retry_ms?: number } | null = null;

  constructor(
    private readonly url: string,
    private readonly handlers: Handlers,
    private readonly hidden: () => boolean = () => false,
    private readonly random: () => number = Math.random,
  ) {}

  start(): void {
    if (this.socket) return;
    this.bye = null;
    this.update({ phase: "connecting", retry_at: null });
    this.began_at = Date.now();
    this.watch(this.link.failures < HASTY_ATTEMPTS ? OPENING_MS : PATIENT_MS, () => this.drop());
    const socket = new WebSocket(this.url, "hub.v1.json");
    this.socket = socket;
    nothingReceived();
    this.acks = new Acks((frames) => {
      received.acked = frames;
      this.write({ type: "ack", frames });
    }, this.hidden);
    socket.onopen = () => {
      if (socket !== this.socket) return;
      this.watch(WELCOME_MS, () => this.drop());
      this.write(this.handlers.hello());
    };
    socket.onmessage = (event) => this.message(socket, event.data);
    socket.onclose = (event) => this.closed(socket, event.code);
  }

  stop(): void {
    this.forget();
    this.update(CLOSED);
  }

  /** Frames for a hub that is not there are not kept: the next hello says all of it anew. */
  send(frame: ClientFrame): void {
    if (this.link.phase === "open") this.write(frame);
  }

  /** The tab came back or the network did. A socket may look open and have been dead for an hour. */
  wake(now: number): void {
    const { phase, heard_at } = this.link;
    if (phase === "open") {
      if (now - (heard_at ?? 0) > SILENCE_MS) this.drop();
      else this.ask();
      return;
    }
    const told = this.bye?.retry_ms !== undefined;
    const hangs = phase === "connecting" && now - this.began_at > OPENING_MS;
    if (hangs || (phase === "retrying" && !told)) this.again();
  }

  again(): void {
    this.forget();
    this.start();
  }

  private write(frame: ClientFrame): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  private message(socket: WebSocket, data: unknown): void {
    if (socket !== this.socket || typeof data !== "string") return;
    received.frames++;
    received.chars += data.length;
    this.acks?.frame(data.length);
    const frame = parse(data);
    if (!frame) return;
    if (frame.type === "welcome") Object.assign(received, { connection: frame.connection, worker: frame.worker });
    if (this.asking) this.listen();
    if (frame.type === "welcome" || frame.type === "heartbeat") this.heard(frame);
    if (frame.type === "heartbeat") this.write({ type: "pong", id: frame.id });
    if (frame.type === "bye") this.bye = frame;
    this.handlers.frame(frame);
  }

  private heard(frame: ServerFrame): void {
    const welcomed = frame.type === "welcome";
    if (!welcomed) this.losses = 0;
    const opened = { phase: "open", failures: 0, code: null, words: "" } as const;
    this.update({ heard_at: Date.now(), ...(welcomed ? opened : {}) });
    this.listen();
  }

  /** A late heartbeat is asked after; one that does not come for long ends it, whatever else came. */
  private listen(): void {
    this.asking = false;
    const left_ms = (this.link.heard_at ?? 0) + SILENCE_MS - Date.now();
    if (left_ms > LATE_MS) this.watch(LATE_MS, () => this.ask());
    else this.watch(left_ms, () => this.drop());
  }

  private ask(): void {
    this.asking = true;
    this.write({ type: "ping", id: 0 });
    this.watch(ANSWER_MS, () => this.drop());
  }

  /** close() would wait for an answer that a dead peer never gives. */
  private drop(): void {
    const socket = this.socket;
    if (!socket) return;
    socket.close();
    this.closed(socket, LOST);
  }

  private closed(socket: WebSocket, closed_by: number): void {
    if (socket !== this.socket) return;
    const welcomed = this.link.phase === "open";
    const code = this.bye && closed_by < 4000 ? this.bye.code : closed_by;
    const answer = verdict(code);
    this.forget();
    const failures = welcomed ? 0 : this.link.failures + 1;
    const ended = { failures, code, words: answer.words };
    if (answer.retry) {
      const delay = this.delay(code, welcomed);
      this.update({ ...ended, phase: "retrying", retry_at: Date.now() + delay });
      this.watch(delay, () => this.start());
    } else {
      this.update({ ...ended, phase: "stopped", retry_at: null });
    }
    this.handlers.lost(answer, failures);
  }

  private delay(code: number, welcomed: boolean): number {
    const losses = this.losses++;
    const told = this.bye?.retry_ms;
    if (told !== undefined) return told;
    const first = welcomed && losses === 0 && code === LOST;
    if (first) return quickDelay(this.random());
    // An attempt that hung has done its waiting.
    const hung_ms = welcomed ? 0 : Date.now() - this.began_at;
    return Math.max(SHORTEST_MS, retryDelay(losses, this.random()) - Math.max(0, hung_ms));
  }

  private forget(): void {
    const socket = this.socket;
    this.socket = null;
    this.asking = false;
    this.acks?.stop();
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    socket?.close();
  }

  private watch(ms: number, then: () => void): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(then, ms);
  }

  private update(change: Partial<Link>): void {
    this.link = { ...this.link, ...change };
    this.handlers.link(this.link);
  }
}

function parse(data: string): ServerFrame | null {
  try {
    const frame: unknown = JSON.parse(data);
    return typeof frame === "object" && frame !== null && "type" in frame ? (frame as ServerFrame) : null;
  } catch {
    return null;
  }
}
