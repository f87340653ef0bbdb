import { describe, expect, it } from "vitest";
import {
  close,
  disconnect,
  emptyModel,
  hello,
  HOLDS_MAX,
  leave,
  open,
  receive,
  resubscribe,
  retry,
} from "../src/store";
import { isFresh } from "../src/store/hold";
import { Lately, LATELY_MS } from "../src/store/lately";
import { Repair } from "../src/store/repair";
import { item, overview, patch, snapshot, summary } from "./frames";

function opened(id = "a", cursor = "s1:1") {
  const model = emptyModel();
  open(model, id);
  receive(model, snapshot(id, cursor));
  return model;
}

const hold = (model: ReturnType<typeof emptyModel>, id = "a") => model.holds.get(id)!;

describe("opening", () => {
  it("subscribes and is stale until the last part of the snapshot", () => {
    const model = emptyModel();
    expect(open(model, "a")).toEqual([{ type: "subscribe", session: "a", activate: true }]);
    expect(isFresh(hold(model))).toBe(false);
    receive(model, snapshot("a", "s1:4", {}, { parts: 2, live: false }));
    expect(hold(model).detail).toBeNull();
    receive(model, {
      type: "session.snapshot",
      session: "a",
      cursor: "s1:4",
      part: 2,
      parts: 2,
      timeline: [{ seq: 1, at: 1, kind: "prompt", id: "p" }],
      live: true,
    });
    expect(hold(model)).toMatchObject({ cursor: "s1:4", stale: null, live: true });
    expect(hold(model).detail?.timeline).toHaveLength(1);
  });

  it("only activates what is followed already", () => {
    const model = opened();
    expect(open(model, "a")).toEqual([{ type: "activate", session: "a" }]);
    expect(leave(model)).toEqual([{ type: "activate", session: null }]);
    expect(leave(model)).toEqual([]);
  });

  it("keeps a bounded number of tabs", () => {
    const model = emptyModel();
    for (let i = 0; i < HOLDS_MAX; i++) open(model, `s${i}`);
    expect(open(model, "one-more").at(-1)).toEqual({ type: "unsubscribe", session: "s0" });
    expect(model.holds.size).toBe(HOLDS_MAX);
  });

  it("asks again when a part is missing", () => {
    const model = emptyModel();
    open(model, "a");
    receive(model, snapshot("a", "s1:4", {}, { parts: 3 }));
    const outcome = receive(model, snapshot("a", "s1:4", {}, { part: 3, parts: 3 }));
    expect(outcome.requests).toEqual([{ type: "resync", scope: "session", session: "a", reason: "parts" }]);
    expect(isFresh(hold(model))).toBe(false);
  });

  it("puts a map together that was split between parts", () => {
    const model = emptyModel();
    open(model, "a");
    receive(
      model,
      snapshot("a", "s1:4", { tools: { Read: { calls: 1, errors: 0, total_ms: 1 } } }, { parts: 2 }),
    );
    receive(model, {
      type: "session.snapshot",
      session: "a",
      cursor: "s1:4",
      part: 2,
      parts: 2,
      detail: { tools: { Bash: { calls: 2, errors: 0, total_ms: 1 } } },
      live: true,
    });
    expect(Object.keys(hold(model).detail!.tools)).toEqual(["Read", "Bash"]);
  });
});

describe("patches", () => {
  it("apply when `from` is the held cursor", () => {
    const model = opened();
    const outcome = receive(model, patch("a", "s1:1", "s1:2", { set: { status: "running", tokens: null } }));
    expect(hold(model)).toMatchObject({ cursor: "s1:2", stale: null });
    expect(hold(model).detail).toMatchObject({ status: "running", tokens: null });
    expect(outcome.requests).toEqual([]);
  });

  it("with a wrong `from` mark stale and ask for a resync, once", () => {
    const model = opened();
    const first = receive(model, patch("a", "s1:5", "s1:6", { set: { title: "lost" } }));
    expect(first.requests).toEqual([{ type: "resync", scope: "session", session: "a", reason: "gap" }]);
    expect(hold(model).stale).toBe("gap");
    expect(hold(model).detail?.title).toBe("Session a");
    expect(receive(model, patch("a", "s1:6", "s1:7")).requests).toEqual([]);
    expect(receive(model, patch("a", "s1:1", "s1:2")).requests).toEqual([]);
    expect(isFresh(hold(model))).toBe(false);
    receive(model, snapshot("a", "s1:7"));
    expect(isFresh(hold(model))).toBe(true);
  });

  it("for a session that is not opened change nothing", () => {
    const model = opened();
    const outcome = receive(model, patch("other", "s1:1", "s1:2"));
    expect(outcome.requests).toEqual([]);
    expect(model.holds.has("other")).toBe(false);
  });
});

describe("eviction", () => {
  it("keeps the view, marks it, and forgets the cursor", () => {
    const model = opened();
    receive(model, { type: "session.evicted", session: "a", reason: "cap" });
    expect(hold(model)).toMatchObject({ quiet: "cap", stale: "cap", cursor: null });
    expect(hold(model).detail?.title).toBe("Session a");
    expect(receive(model, patch("a", "s1:1", "s1:2", { set: { title: "late" } })).requests).toEqual([]);
    expect(hold(model).detail?.title).toBe("Session a");
  });

  it("is undone by a snapshot alone", () => {
    const model = opened();
    receive(model, { type: "session.evicted", session: "a", reason: "cap" });
    expect(open(model, "a")).toEqual([{ type: "subscribe", session: "a", activate: true }]);
    expect(hold(model).quiet).toBeNull();
    expect(isFresh(hold(model))).toBe(false);
    receive(model, snapshot("a", "s1:9"));
    expect(isFresh(hold(model))).toBe(true);
  });

  it("is neither resumed nor subscribed again by a reconnect", () => {
    const model = opened();
    receive(model, { type: "session.evicted", session: "a", reason: "cap" });
    disconnect(model, false);
    expect(hello(model, 60, 4, {}).resume).toEqual([]);
    expect(resubscribe(model)).toEqual([]);
    expect(close(model, "a")).toEqual([]);
  });

  it("is not asked about by the heartbeat", () => {
    const model = opened();
    receive(model, { type: "session.evicted", session: "a", reason: "slow" });
    expect(receive(model, { type: "heartbeat", id: 1, now: 1, sessions: {} }).requests).toEqual([]);
  });
});

describe("session.stale", () => {
  it("waits for the snapshot that follows", () => {
    const model = opened();
    const outcome = receive(model, { type: "session.stale", session: "a", reason: "epoch" });
    expect(outcome.requests).toEqual([]);
    expect(hold(model)).toMatchObject({ stale: "epoch", cursor: null });
    receive(model, snapshot("a", "s2:1"));
    expect(isFresh(hold(model))).toBe(true);
  });
});

describe("heartbeat", () => {
  it("is content with equal cursors", () => {
    const model = opened();
    expect(
      receive(model, { type: "heartbeat", id: 1, now: 1, sessions: { a: "s1:1", other: "s1:3" } }).requests,
    ).toEqual([]);
  });

  it("finds a loss by another cursor", () => {
    const model = opened();
    const outcome = receive(model, { type: "heartbeat", id: 1, now: 1, sessions: { a: "s1:3" } });
    expect(outcome.requests).toEqual([
      { type: "resync", scope: "session", session: "a", reason: "heartbeat" },
    ]);
    expect(isFresh(hold(model))).toBe(false);
  });

  it("opens again what the hub does not count as opened", () => {
    const model = opened();
    const outcome = receive(model, { type: "heartbeat", id: 1, now: 1, sessions: {} });
    expect(outcome.requests).toEqual([{ type: "subscribe", session: "a", activate: false }]);
  });
});

describe("reconnecting", () => {
  it("resumes by the held cursor and stays marked until the hub has answered", () => {
    const model = opened("a", "s1:1");
    open(model, "b");
    receive(model, snapshot("b", "s1:2"));
    disconnect(model, false);
    expect(isFresh(hold(model))).toBe(false);
    const frame = hello(model, 60, 4, { limit: 200 });
    expect(frame.resume).toEqual([
      { session: "a", cursor: "s1:1" },
      { session: "b", cursor: "s1:2" },
    ]);
    expect(frame.active).toBe("b");
    receive(model, patch("a", "s1:1", "s1:1"));
    expect(isFresh(hold(model))).toBe(true);
    expect(isFresh(hold(model, "b"))).toBe(false);
  });

  it("lists the least recently opened first", () => {
    const model = opened("a");
    open(model, "b");
    receive(model, snapshot("b", "s1:2"));
    open(model, "a");
    expect(hello(model, 60, 4, {}).resume?.map((each) => each.session)).toEqual(["b", "a"]);
  });

  it("keeps the mark of a gap even if the connection drops before the snapshot", () => {
    const model = opened();
    receive(model, patch("a", "s1:5", "s1:6"));
    disconnect(model, false);
    expect(hello(model, 60, 4, {}).resume).toEqual([]);
    expect(resubscribe(model)).toEqual([{ type: "subscribe", session: "a", activate: true }]);
    expect(receive(model, patch("a", "s1:1", "s1:2")).requests).toEqual([]);
    expect(isFresh(hold(model))).toBe(false);
    receive(model, snapshot("a", "s1:8"));
    expect(isFresh(hold(model))).toBe(true);
  });

  it("drops every cursor when the hub says that its state is invalid", () => {
    const model = opened();
    disconnect(model, true);
    expect(hello(model, 60, 4, {}).resume).toEqual([]);
    expect(resubscribe(model)).toHaveLength(1);
    expect(receive(model, patch("a", "s1:1", "s1:2")).requests).toEqual([]);
    expect(isFresh(hold(model))).toBe(false);
    receive(model, snapshot("a", "s2:1"));
    expect(isFresh(hold(model))).toBe(true);
  });

  it("throws away half a snapshot", () => {
    const model = opened();
    receive(model, snapshot("a", "s1:4", { title: "half" }, { parts: 2 }));
    disconnect(model, false);
    expect(hold(model)).toMatchObject({ staging: null, cursor: "s1:1" });
    expect(hold(model).detail?.title).toBe("Session a");
  });
});

it("no frame of the overview, the inbox, or for people touches a session's cursor", () => {
  const model = opened("a", "s1:1");
  receive(model, overview("s9:9", [summary("a")]));
  receive(model, {
    type: "overview.patch",
    from: "s9:9",
    cursor: "s9:10",
    set: [{ id: "a", title: "x" }],
    gone: ["a"],
  });
  receive(model, { type: "attention", cursor: "s9:11", full: true, open: [item("1")] });
  receive(model, { type: "notice", level: "info", code: "x", message: "x" });
  receive(model, {
    type: "heartbeat",
    id: 1,
    now: 1,
    overview: "s9:10",
    attention: "s9:11",
    sessions: { a: "s1:1" },
  });
  expect(hold(model).cursor).toBe("s1:1");
  expect(isFresh(hold(model))).toBe(true);
});

describe("repair", () => {
  it("asks again for what has waited a whole round, and only for that", () => {
    const model = opened("a");
    receive(model, overview("o1", []));
    receive(model, { type: "attention", cursor: "a1", full: true, open: [] });
    open(model, "b");
    const repair = new Repair();
    expect(repair.round(model)).toEqual([]);
    expect(repair.round(model)).toEqual([{ type: "subscribe", session: "b", activate: true }]);
    receive(model, snapshot("b", "s1:1"));
    expect(repair.round(model)).toEqual([]);
    receive(model, { type: "session.evicted", session: "b", reason: "cap" });
    expect([...repair.round(model), ...repair.round(model)]).toEqual([]);
  });

  it("asks for the inbox too where its resync was refused", () => {
    const model = emptyModel();
    receive(model, overview("o1", []));
    receive(model, { type: "attention", cursor: "a1", full: true, open: [] });
    receive(model, { type: "heartbeat", id: 1, now: 1, attention: "a2" });
    const repair = new Repair();
    expect(repair.round(model)).toEqual([]);
    expect(repair.round(model)).toEqual([{ type: "resync", scope: "attention", reason: "late" }]);
  });
});

describe("a refusal for now", () => {
  const failed = { type: "error", code: "snapshot_failed", message: "x", session: "a" } as const;

  it("is followed by one more asking, and by no other", () => {
    const model = emptyModel();
    open(model, "a");
    receive(model, failed);
    expect(retry(model, "a")).toEqual([{ type: "subscribe", session: "a", activate: true }]);
    receive(model, failed);
    expect(retry(model, "a")).toEqual([]);
    expect(hold(model).problem).toBe("snapshot_failed");
    const repair = new Repair();
    const asked = [...repair.round(model), ...repair.round(model)];
    expect(asked.filter((frame) => frame.type === "subscribe")).toEqual([]);
  });

  it("leaves a session stale until its snapshot, and is forgotten with that", () => {
    const model = opened();
    receive(model, { type: "session.stale", session: "a", reason: "trimmed" });
    receive(model, failed);
    retry(model, "a");
    expect(isFresh(hold(model))).toBe(false);
    receive(model, snapshot("a", "s2:1"));
    expect(isFresh(hold(model))).toBe(true);
    receive(model, { type: "session.stale", session: "a", reason: "trimmed" });
    receive(model, failed);
    expect(retry(model, "a")).toHaveLength(1);
  });

  it("asks for nothing where what is held is good", () => {
    const model = opened();
    receive(model, failed);
    expect(retry(model, "a")).toEqual([]);
    expect(hold(model)).toMatchObject({ problem: null, refusals: 0 });
  });

  it("is asked about again on the next connection, or when a person opens it", () => {
    const model = emptyModel();
    open(model, "a");
    receive(model, failed);
    retry(model, "a");
    receive(model, failed);
    expect(open(model, "a")).toEqual([{ type: "subscribe", session: "a", activate: true }]);
    receive(model, failed);
    disconnect(model, false);
    expect(resubscribe(model)).toEqual([{ type: "subscribe", session: "a", activate: true }]);
  });
});

describe("requests of late", () => {
  it("are asked again once, the latest of each kind, in their order", () => {
    const lately = new Lately();
    lately.note({ type: "view", limit: 1 }, 0);
    lately.note({ type: "subscribe", session: "a", activate: true }, 1000);
    lately.note({ type: "activate", session: null }, 2000);
    lately.note({ type: "unsubscribe", session: "a" }, 3000);
    lately.note({ type: "ack", frames: 3 }, 3000);
    expect(lately.take(LATELY_MS + 1)).toEqual([
      { type: "activate", session: null },
      { type: "unsubscribe", session: "a" },
    ]);
    expect(lately.take(LATELY_MS + 1)).toEqual([]);
  });
});

describe("an answer of unknown session", () => {
  const unknown = { type: "error", code: "unknown_session", message: "x", session: "a" } as const;

  it("is believed at once where nothing was ever seen of it", () => {
    const model = emptyModel();
    open(model, "a");
    expect(receive(model, unknown).requests).toEqual([]);
    expect(hold(model).problem).toBe("unknown_session");
  });

  it("is asked about once where it may only have crossed an eviction", () => {
    const model = opened("a");
    receive(model, { type: "session.evicted", session: "a", reason: "cap" });
    expect(receive(model, unknown).requests).toEqual([{ type: "subscribe", session: "a", activate: true }]);
    expect(hold(model)).toMatchObject({ problem: null, quiet: null });
    expect(receive(model, unknown).requests).toEqual([]);
    expect(hold(model).problem).toBe("unknown_session");
  });
});
