import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { retryDelay, verdict } from "../src/closes";
import { Connection, type Link } from "../src/connection";
import type { ClientFrame, ServerFrame } from "../src/protocol";

class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 0;
  sent: ClientFrame[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(
    readonly url: string,
    readonly protocol: string,
  ) {
    FakeSocket.all.push(this);
  }

  send(data: string): void {
    this.sent.push(JSON.parse(data) as ClientFrame);
  }

  close(): void {
    this.readyState = 3;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  frame(frame: ServerFrame): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  end(code: number): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  of<T extends ClientFrame["type"]>(type: T) {
    return this.sent.filter((frame) => frame.type === type);
  }
}

const welcome: ServerFrame = { type: "welcome", protocol: 1, now: 0 };
const heartbeat: ServerFrame = { type: "heartbeat", id: "h1", now: 0 };

function connect(random = 0) {
  const seen = {
    frames: [] as ServerFrame[],
    link: null as Link | null,
    lost: [] as number[],
    verdicts: [] as ReturnType<typeof verdict>[],
  };
  const connection = new Connection(
    "ws://x/ws",
    {
      hello: () => ({ type: "hello", protocol: 1, client: "test", rate_hz: 60, subscriptions: 4 }),
      frame: (frame) => seen.frames.push(frame),
      link: (link) => (seen.link = link),
      lost: (answer, failures) => {
        seen.verdicts.push(answer);
        seen.lost.push(failures);
      },
    },
    () => false,
    () => random,
  );
  connection.start();
  return { connection, seen };
}

/** How long after a greeting that ended by `code` the next attempt is made. */
function connectAfter(code: number, random: number): number {
  const { connection, seen } = connect(random);
  socket().open();
  socket().frame(welcome);
  const at = Date.now();
  socket().end(code);
  const waits = seen.link!.retry_at! - at;
  connection.stop();
  return waits;
}

const socket = () => FakeSocket.all.at(-1)!;

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
  vi.stubGlobal("WebSocket", FakeSocket);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("acks of a connection", () => {
  it("count every frame from the welcome on, known or not", () => {
    connect();
    socket().open();
    socket().frame(welcome);
    socket().frame({ type: "weather" } as never);
    socket().onmessage?.({ data: "not json" });
    vi.advanceTimersByTime(500);
    expect(socket().of("ack")).toEqual([{ type: "ack", frames: 3 }]);
  });

  it("begin at one again on a new connection", () => {
    connect();
    socket().open();
    socket().frame(welcome);
    socket().end(4000);
    vi.advanceTimersByTime(500);
    socket().open();
    socket().frame(welcome);
    vi.advanceTimersByTime(500);
    expect(FakeSocket.all).toHaveLength(2);
    expect(socket().of("ack")).toEqual([{ type: "ack", frames: 1 }]);
  });
});

describe("a connection", () => {
  it("says hello first and answers heartbeats", () => {
    const { connection } = connect();
    expect(socket().protocol).toBe("hub.v1.json");
    connection.send({ type: "activate", session: null });
    socket().open();
    expect(socket().sent.map((frame) => frame.type)).toEqual(["hello"]);
    socket().frame(welcome);
    socket().frame(heartbeat);
    expect(socket().of("pong")).toEqual([{ type: "pong", id: "h1" }]);
    connection.send({ type: "activate", session: null });
    expect(socket().of("activate")).toHaveLength(1);
  });

  it("asks after a heartbeat that is missing, and reconnects where nothing comes for 3 s", () => {
    const { seen } = connect();
    socket().open();
    socket().frame(welcome);
    vi.advanceTimersByTime(11_000);
    socket().frame(heartbeat);
    vi.advanceTimersByTime(11_999);
    expect(socket().of("ping")).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(socket().of("ping")).toHaveLength(1);
    vi.advanceTimersByTime(2999);
    expect(seen.link?.phase).toBe("open");
    vi.advanceTimersByTime(1);
    expect(seen.link?.phase).toBe("retrying");
    vi.advanceTimersByTime(500);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("takes any frame for an answer, yet reconnects after 25 s without a heartbeat", () => {
    const { seen } = connect();
    socket().open();
    socket().frame(welcome);
    vi.advanceTimersByTime(12_000);
    socket().frame({ type: "pong", id: 0, now: 0 });
    vi.advanceTimersByTime(12_999);
    expect(seen.link?.phase).toBe("open");
    expect(socket().of("ping")).toHaveLength(2);
    socket().frame({ type: "pong", id: 0, now: 0 });
    vi.advanceTimersByTime(1);
    expect(seen.link?.phase).toBe("retrying");
  });

  it("asks at once when the tab comes back, and not while it is answered", () => {
    const { connection, seen } = connect();
    socket().open();
    socket().frame(welcome);
    connection.wake(Date.now() + 1000);
    expect(socket().of("ping")).toHaveLength(1);
    socket().frame({ type: "pong", id: 0, now: 0 });
    vi.advanceTimersByTime(3000);
    expect(seen.link?.phase).toBe("open");
    connection.wake(Date.now());
    vi.advanceTimersByTime(3000);
    expect(seen.link?.phase).toBe("retrying");
  });

  it("gives up an attempt that hangs: the first three after 3 s, later ones after 10", () => {
    const { seen } = connect();
    for (const [attempt, hangs_ms] of [3000, 3000, 3000, 10_000].entries()) {
      vi.advanceTimersByTime(hangs_ms - 1);
      expect(seen.lost).toHaveLength(attempt);
      vi.advanceTimersByTime(1);
      expect(seen.lost).toHaveLength(attempt + 1);
      vi.advanceTimersByTime(500);
      expect(FakeSocket.all).toHaveLength(attempt + 2);
    }
  });

  it("counts the time that an attempt hung as waited, and replaces one that hangs on waking", () => {
    const { connection, seen } = connect(1);
    socket().end(1006);
    vi.advanceTimersByTime(1000);
    vi.advanceTimersByTime(3000);
    expect(seen.lost).toEqual([1, 2]);
    expect(seen.link!.retry_at! - Date.now()).toBe(500);
    connection.wake(Date.now());
    expect(FakeSocket.all).toHaveLength(3);
    connection.wake(Date.now());
    expect(FakeSocket.all).toHaveLength(3);
    connection.wake(Date.now() + 3001);
    expect(FakeSocket.all).toHaveLength(4);
    expect(seen.lost).toEqual([1, 2]);
  });

  it("waits 5 s for the greeting of a socket that opened", () => {
    const { seen } = connect();
    socket().open();
    vi.advanceTimersByTime(4999);
    expect(seen.lost).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(seen.lost).toEqual([1]);
  });

  it("finds a dead socket at once when the tab comes back", () => {
    const { connection, seen } = connect();
    socket().open();
    socket().frame(welcome);
    connection.wake(Date.now() + 60_000);
    expect(seen.link?.phase).toBe("retrying");
  });

  it("waits as long as the hub's farewell says", () => {
    connect();
    socket().open();
    socket().frame(welcome);
    socket().frame({ type: "bye", code: 4000, reason: "draining", retry_ms: 7000 });
    socket().end(4000);
    vi.advanceTimersByTime(6999);
    expect(FakeSocket.all).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("does not return after 4501", () => {
    const { seen } = connect();
    socket().open();
    socket().end(4501);
    vi.advanceTimersByTime(120_000);
    expect(FakeSocket.all).toHaveLength(1);
    expect(seen.link?.phase).toBe("stopped");
    expect(seen.verdicts[0]?.sign_in).toBe(true);
  });

  it("is quick once after the line broke, and slower each time until a heartbeat was heard", () => {
    const { seen } = connect(1);
    const waited: number[] = [];
    for (const beats of [false, false, true]) {
      socket().open();
      socket().frame(welcome);
      if (beats) socket().frame(heartbeat);
      const at = Date.now();
      socket().end(1006);
      waited.push(seen.link!.retry_at! - at);
      vi.advanceTimersByTime(waited.at(-1)!);
    }
    expect(waited).toEqual([1000, 2000, 1000]);
    expect(connectAfter(1006, 0)).toBe(0);
    expect(connectAfter(4001, 0)).toBe(500);
  });

  it("says that the board is full and comes when the hub says, not when the tab comes back", () => {
    const { connection, seen } = connect();
    socket().open();
    socket().frame({ type: "bye", code: 4006, reason: "connection limit", retry_ms: 10_000 });
    socket().end(4006);
    expect(seen.link).toMatchObject({ phase: "retrying", code: 4006, words: "the board is full" });
    connection.wake(Date.now());
    vi.advanceTimersByTime(9999);
    expect(FakeSocket.all).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(FakeSocket.all).toHaveLength(2);
    socket().open();
    socket().frame(welcome);
    expect(seen.link?.code).toBeNull();
  });

  it("knows the farewell's reason where the line broke right behind it", () => {
    const { seen } = connect();
    socket().open();
    socket().frame(welcome);
    socket().frame({ type: "bye", code: 4003, reason: "state invalid" });
    socket().end(1006);
    expect(seen.verdicts[0]?.drop_cursors).toBe(true);
  });

  it("waits for a person after 4005", () => {
    const { seen } = connect();
    socket().open();
    socket().frame(welcome);
    socket().frame({ type: "bye", code: 4005, reason: "credential expired", retry_ms: 1000 });
    socket().end(4005);
    vi.advanceTimersByTime(120_000);
    expect(FakeSocket.all).toHaveLength(1);
    expect(seen.verdicts[0]).toMatchObject({ sign_in: true, retry: false });
  });

  it("counts attempts in a row that came to nothing", () => {
    const { seen } = connect();
    for (let i = 0; i < 3; i++) {
      socket().end(1006);
      vi.advanceTimersByTime(500);
    }
    expect(seen.lost).toEqual([1, 2, 3]);
    socket().open();
    socket().frame(welcome);
    socket().end(1012);
    expect(seen.lost.at(-1)).toBe(0);
  });

  it("hears nothing more from a socket it gave up", () => {
    const { seen } = connect();
    const old = socket();
    old.open();
    old.frame(welcome);
    old.end(4000);
    vi.advanceTimersByTime(500);
    const before = seen.frames.length;
    old.frame(heartbeat);
    old.end(4501);
    expect(seen.frames).toHaveLength(before);
    expect(seen.link?.phase).toBe("connecting");
  });
});

describe("close codes", () => {
  it.each([
    [1006, true],
    [1012, true],
    [4000, true],
    [4001, true],
    [4002, true],
    [4003, true],
    [4004, true],
    [4005, false],
    [4006, true],
    [4007, true],
    [4499, true],
    [1009, false],
    [4500, false],
    [4503, false],
    [4999, false],
  ])("%d: retry %s", (code, retry) => expect(verdict(code).retry).toBe(retry));

  it("4003 drops the cursors, 4005 and 4501 ask to sign in, 4506 forbids", () => {
    expect(verdict(4003).drop_cursors).toBe(true);
    expect(verdict(4000).drop_cursors).toBe(false);
    expect(verdict(4005).sign_in).toBe(true);
    expect(verdict(4002).sign_in).toBe(false);
    expect(verdict(4501).sign_in).toBe(true);
    expect(verdict(4506).forbidden).toBe(true);
  });

  it("are waited out between half a second and thirty", () => {
    for (let failures = 0; failures < 40; failures++) {
      expect(retryDelay(failures, 0)).toBe(500);
      expect(retryDelay(failures, 1)).toBeLessThanOrEqual(30_000);
    }
    expect(retryDelay(30, 1)).toBe(30_000);
  });
});
