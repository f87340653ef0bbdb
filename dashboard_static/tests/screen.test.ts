import { describe, expect, it } from "vitest";
import {
  isFilter,
  isNarrowed,
  matcher,
  noFilter,
  viewOf,
  type Filter,
  type Wanted,
} from "../src/board/filter";
import type { Link } from "../src/connection";
import { connectionState } from "../src/connection_state";
import { overviewFrames, sessionFrame } from "../src/polling";
import { entryHref, parse, sessionHref } from "../src/router";
import { ALL, timeRange, columns } from "../src/session/chart_data";
import { markOf } from "../src/session/mark";
import { emptyModel, open, receive, retry } from "../src/store";
import { snapshot, summary, totals } from "./frames";

describe("addresses", () => {
  it("lead to a session of any id and back", () => {
    const id = "a/b c?#%";
    expect(parse(sessionHref(id))).toEqual({ screen: "session", id, entry: null });
    expect(parse(entryHref(id, 7))).toEqual({ screen: "session", id, entry: 7 });
    expect(parse(`${sessionHref(id)}?entry=x`)).toEqual({ screen: "session", id, entry: null });
    expect(parse("")).toEqual({ screen: "board" });
    expect(parse("#/session/%E0%A4%A")).toEqual({ screen: "board" });
  });
});

describe("filter", () => {
  const row = summary("a", { title: "Fix Refunds", branch: "fix/x", status: "running" });

  it("finds every word anywhere and any of the chosen statuses", () => {
    expect(matcher({ text: "refunds FIX/", status: [] })(row)).toBe(true);
    expect(matcher({ text: "refunds nothing", status: [] })(row)).toBe(false);
    expect(matcher({ text: "", status: ["idle", "running"] })(row)).toBe(true);
    expect(matcher({ text: "", status: ["idle"] })(row)).toBe(false);
    expect(isFilter(noFilter)).toBe(false);
  });

  it("finds what is archived, unread or of one host only where that is wanted", () => {
    const old = { ...row, archived: true, host: "mill" };
    expect(matcher(noFilter)(old)).toBe(false);
    expect(matcher({ ...noFilter, archived: true })(old)).toBe(true);
    expect(matcher({ ...noFilter, archived: true, host: "barn" })(old)).toBe(false);
    expect(matcher({ ...noFilter, unread: true }, () => false)(row)).toBe(false);
    expect(matcher({ ...noFilter, unread: true }, () => true)(row)).toBe(true);
  });

  it("is left to the hub only where the page does not hold all rows", () => {
    const filter: Filter = { text: " x ", status: ["running", "idle"], project: "p", host: "h", unread: true };
    const wanted: Wanted = { filter, sort: "default", pins: [], limit: 200 };
    expect(viewOf(wanted, true)).toEqual({ limit: 200 });
    const asked = viewOf(wanted, false);
    expect(asked).toEqual({ limit: 200, q: "x", status: ["idle", "running"], project: "p" });
    expect(isNarrowed(asked)).toBe(true);
  });

  it("does not decide which rows the hub has to send besides", () => {
    const filter = { ...noFilter, archived: true };
    const view = viewOf({ filter, sort: "cost", pins: ["a"], limit: 200 }, true);
    expect(view).toEqual({ limit: 200, archived: true, sort: "cost", pinned: ["a"] });
    expect(isNarrowed(view)).toBe(false);
  });
});

describe("the connection's word", () => {
  const link: Link = { phase: "open", failures: 0, retry_at: null, heard_at: 0, code: null, words: "" };
  const base = { link, polling: false, overviewCurrent: true, told_behind: false, now: 0 };

  it.each([
    ["live", {}],
    ["catching-up", { overviewCurrent: false }],
    ["behind", { now: 12_001 }],
    ["behind", { told_behind: true }],
    ["polling", { polling: true, link: { ...link, phase: "retrying" } }],
    ["offline", { link: { ...link, phase: "retrying" } }],
    ["offline", { link: { ...link, phase: "stopped" } }],
    ["catching-up", { link: { ...link, phase: "connecting" } }],
    ["offline", { link: { ...link, phase: "connecting", code: 1006 } }],
  ])("is %s", (word, change) => expect(connectionState({ ...base, ...change } as never)).toBe(word));
});

describe("a session's mark", () => {
  it("is live only when everything is here", () => {
    const model = emptyModel();
    expect(markOf(undefined).state).toBe("catching-up");
    open(model, "a");
    expect(markOf(model.holds.get("a")).state).toBe("catching-up");
    receive(model, snapshot("a", "1"));
    expect(markOf(model.holds.get("a")).state).toBe("live");
    receive(model, { type: "session.evicted", session: "a", reason: "cap" });
    expect(markOf(model.holds.get("a"))).toMatchObject({ state: "stale", reopen: "Follow again" });
  });

  it("says what the hub refused", () => {
    const model = emptyModel();
    open(model, "a");
    receive(model, { type: "error", code: "unknown_session", message: "x", session: "a" });
    expect(markOf(model.holds.get("a")).words).toBe("No such session");
  });

  it.each([
    ["slow", "Catching up…", "catching up"],
    ["worker", "Being read anew…", "read anew"],
    ["epoch", "Being read anew…", "read anew"],
    ["trimmed", "Being read anew…", "read anew"],
    ["gap", "Being read anew…", "read anew"],
  ])("says of a session that is stale (%s): %s", (reason, words, short) => {
    const model = emptyModel();
    open(model, "a");
    receive(model, snapshot("a", "1"));
    receive(model, { type: "session.stale", session: "a", reason });
    expect(markOf(model.holds.get("a"))).toEqual({ state: "catching-up", words, short });
    receive(model, snapshot("a", "2", {}, { parts: 2, live: false }));
    expect(markOf(model.holds.get("a")).words).toBe(words);
    receive(model, snapshot("a", "2", {}, { part: 2, parts: 2, detail: {} }));
    expect(markOf(model.holds.get("a"))).toEqual({ state: "live", words: "Live" });
  });

  it.each([
    ["slow", "too slow", "Follow again"],
    ["deleted", "deleted", undefined],
  ] as const)("says why nothing more comes (%s)", (reason, short, reopen) => {
    const model = emptyModel();
    open(model, "a");
    receive(model, snapshot("a", "1"));
    receive(model, { type: "session.evicted", session: "a", reason });
    const mark = markOf(model.holds.get("a"));
    expect(mark).toMatchObject({ state: "stale", short });
    expect(mark.words).toContain(short);
    expect(mark.reopen).toBe(reopen);
  });

  it("offers to try again only after the hub refused twice", () => {
    const model = emptyModel();
    const failed = { type: "error", code: "snapshot_failed", message: "x", session: "a" } as const;
    open(model, "a");
    receive(model, failed);
    expect(markOf(model.holds.get("a"))).toEqual({
      state: "stale",
      words: "It could not be read, trying again…",
    });
    retry(model, "a");
    receive(model, failed);
    expect(markOf(model.holds.get("a"))).toMatchObject({
      words: "It could not be read",
      reopen: "Try again",
    });
  });
});

describe("polling", () => {
  it("goes the same way as frames", () => {
    const model = emptyModel();
    open(model, "a");
    const frames = overviewFrames({
      cursor: "p",
      sessions: [summary("a")],
      attention: [],
      totals: totals(1),
    });
    for (const frame of frames) receive(model, frame);
    receive(model, sessionFrame("a", { cursor: "s1:3", ...summary("a"), timeline: [] }));
    expect(model.overview.rows.size).toBe(1);
    expect(model.attention.current).toBe(true);
    expect(model.holds.get("a")).toMatchObject({ cursor: "s1:3", live: true, stale: null });
  });
});

describe("the chart", () => {
  it("stacks output, input and cache writes", () => {
    expect(columns([{ at: 60_000, input: 2, output: 1, cache_read: 9, cache_write: 4 }])).toEqual([
      [60_000],
      [7],
      [3],
      [1],
      [9],
    ]);
  });

  it("does not stretch two minutes over the whole width", () => {
    const [from, to] = timeRange(ALL, 0, 60_000);
    expect(to - from).toBe(20 * 60_000);
  });
});
