import { beforeEach, describe, expect, it } from "vitest";
import { pins, PINS_MAX, togglePin } from "../src/pins";
import { seen, SEEN_MAX, unreadNow, withSeen, type Seen } from "../src/unread";
import { summary } from "./frames";

describe("unread", () => {
  beforeEach(() => {
    seen.value = { since: 100, sessions: [] };
  });

  it("is what came to rest since this browser saw the board first", () => {
    expect(unreadNow()(summary("a", { status: "idle", status_since: 101 }))).toBe(true);
    expect(unreadNow()(summary("a", { status: "idle", status_since: 100 }))).toBe(false);
    expect(unreadNow()(summary("a", { status: "running", status_since: 101 }))).toBe(false);
    expect(unreadNow()(summary("a", { status: "idle", status_since: null }))).toBe(false);
  });

  it("ends with looking, until it comes to rest again", () => {
    seen.value = withSeen(seen.value, "a", 200);
    expect(unreadNow()(summary("a", { status: "failed", status_since: 150 }))).toBe(false);
    expect(unreadNow()(summary("b", { status: "failed", status_since: 150 }))).toBe(true);
    expect(unreadNow()(summary("a", { status: "failed", status_since: 201 }))).toBe(true);
  });

  it("never comes back for what was looked at so long ago that it is forgotten", () => {
    let told: Seen = seen.value;
    for (let each = 0; each <= SEEN_MAX; each++) told = withSeen(told, `s${each}`, 1000 + each);
    expect(told.sessions.length).toBe(SEEN_MAX);
    seen.value = told;
    expect(unreadNow()(summary("s0", { status: "idle", status_since: 900 }))).toBe(false);
  });
});

describe("pins", () => {
  it("are no more than the hub takes: the first goes", () => {
    for (let each = 0; each <= PINS_MAX; each++) togglePin(`s${each}`);
    expect(pins.value.length).toBe(PINS_MAX);
    expect(pins.value[0]).toBe("s1");
    togglePin("s1");
    expect(pins.value).not.toContain("s1");
  });
});
