import { describe, expect, it } from "vitest";
import { Activity, bars, MINUTES } from "../src/activity";
import type { Tokens } from "../src/protocol";

const spent = (output: number, cache_read = 0): Tokens => ({ input: 0, output, cache_read, cache_write: 0 });
const last = (counts: number[] | null, many: number) => counts!.slice(-many);
const MINUTE = 60_000;

describe("activity", () => {
  it("knows nothing before the hub has told what was", () => {
    const activity = new Activity();
    expect(activity.known).toBe(false);
    activity.seed({ until: 100 * MINUTE, minutes: MINUTES, sessions: {} });
    expect(activity.known).toBe(true);
    expect(activity.of("a", 99)).toBe(null);
  });

  it("has what the hub told, the last minute being the one before `until`", () => {
    const activity = new Activity();
    const told = Array.from({ length: MINUTES }, (_, at) => at);
    activity.seed({ until: 100 * MINUTE, minutes: MINUTES, sessions: { a: told } });
    expect(activity.of("a", 99)).toEqual(told);
    expect(activity.of("a", 101)).toEqual([...told.slice(2), 0, 0]);
    expect(activity.of("a", 98 + MINUTES)).toEqual([29, ...new Array<number>(29).fill(0)]);
    expect(activity.of("a", 99 + MINUTES)).toBe(null);
  });

  it("grows by what the rows' counts grow, without cache reads", () => {
    const activity = new Activity();
    activity.note("a", spent(100), 7);
    activity.note("a", spent(130, 9000), 7);
    activity.note("a", spent(135), 9);
    activity.note("a", spent(120), 9);
    expect(last(activity.of("a", 9), 4)).toEqual([0, 30, 0, 5]);
  });

  it("forgets what lies longer back than half an hour", () => {
    const activity = new Activity();
    activity.note("a", spent(1), 1);
    activity.note("a", spent(5), 1);
    activity.note("a", spent(6), 40);
    expect(activity.of("a", 40)).toEqual([...new Array<number>(29).fill(0), 1]);
  });

  it("counts nothing twice or to the wrong minute after an interruption", () => {
    const activity = new Activity();
    activity.note("a", spent(1), 1);
    activity.interrupted();
    activity.seed({ until: 5 * MINUTE, minutes: MINUTES, sessions: { a: [7] } });
    activity.note("a", spent(900), 4);
    activity.note("a", spent(902), 4);
    expect(last(activity.of("a", 4), 2)).toEqual([0, 9]);
  });

  it("holds on to no row that is gone, and to no minute that is too long ago", () => {
    const activity = new Activity();
    for (const tokens of [1, 5]) activity.note("a", spent(tokens), 1);
    activity.keep(new Map());
    activity.note("a", spent(900), 2);
    expect(last(activity.of("a", 2), 2)).toEqual([4, 0]);
    activity.letGo(1 + MINUTES);
    activity.note("a", spent(901), 2);
    expect(last(activity.of("a", 2), 2)).toEqual([0, 1]);
  });
});

describe("its bars", () => {
  it("are as high as the busiest minute allows, and at least one high", () => {
    expect(bars([0, 4000, 1], 16, 1000)).toBe("M3 16v-16M5 16v-1");
    expect(bars([100], 16, 1000)).toBe("M1 16v-2");
  });
});
