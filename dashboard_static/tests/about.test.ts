import { describe, expect, it } from "vitest";
import type { About, Distribution } from "../src/about/answers";
import { delays, events, spread, traffic, type Line } from "../src/about/figures";
import { troubles } from "../src/about/health";
import { quantile } from "../src/about/quantile";
import { behindSince, kept, WINDOW_MS } from "../src/about/window";

const distribution = (counts: number[], count = counts.at(-1)!): Distribution => ({
  buckets: [0.001, 0.01, 0.1].map((seconds, at) => [seconds, counts[at]!]),
  count,
  sum_seconds: 0,
});
const NONE = distribution([0, 0, 0]);

function about(now: number, change: Partial<About> = {}): About {
  return {
    worker: "w-1",
    version: "1.0.0",
    now,
    started_at: 0,
    sessions: {},
    clients: {},
    subscriptions: 0,
    watching: 0,
    bus: { lag_entries: 0, gaps: 0, epoch_changes: 0, poison: 0 },
    latency: { attention: NONE, session: NONE, overview: NONE },
    flush: NONE,
    loop_lag: NONE,
    conflated_updates: 0,
    frames: {},
    sent_bytes: 0,
    snapshots: {},
    evictions: {},
    closes: {},
    limits: {},
    ...change,
  };
}

describe("a quantile", () => {
  it("lies in its bucket as far as so many are below it", () => {
    expect(quantile(null, distribution([0, 10, 10]), 0.5)).toBeCloseTo(0.0055);
    expect(quantile(null, distribution([4, 4, 8]), 0.75)).toBeCloseTo(0.055);
    expect(quantile(null, distribution([10, 10, 10]), 0.5)).toBeCloseTo(0.0005);
  });

  it("is of what came between two answers alone", () => {
    expect(quantile(distribution([100, 100, 100]), distribution([100, 100, 110]), 0.5)).toBeCloseTo(0.055);
  });

  it("is none where nothing came", () => {
    expect(quantile(null, NONE, 0.5)).toBeNull();
    expect(quantile(distribution([3, 3, 3]), distribution([3, 3, 3]), 0.99)).toBeNull();
  });

  it("is beyond the last bucket where it took longer, and is said so", () => {
    expect(quantile(null, distribution([1, 1, 1], 4), 0.5)).toBe(Infinity);
    expect(spread(null, distribution([2, 2, 2], 4))).toBe(
      "1.0 ms · > 100 ms · > 100 ms".replaceAll(/ (?=ms|1)/g, "\u00a0"),
    );
  });
});

describe("the answers of a minute", () => {
  it("leave when they are older", () => {
    const held = [0, 2000, WINDOW_MS].reduce<readonly About[]>((held, now) => kept(held, about(now)), []);
    expect(kept(held, about(WINDOW_MS + 1000)).map(({ now }) => now)).toEqual([
      2000,
      WINDOW_MS,
      WINDOW_MS + 1000,
    ]);
  });

  it("begin anew where the worker did", () => {
    expect(kept([about(1000)], about(3000, { started_at: 2500 }))).toHaveLength(1);
  });

  it("are of one worker until it is not heard any more", () => {
    const held = [about(1000)];
    expect(kept(held, about(3000, { worker: "w-2" }))).toBe(held);
    expect(kept(held, about(12_000, { worker: "w-2" })).map(({ worker }) => worker)).toEqual(["w-2"]);
  });

  it("tell since when the log was not read up", () => {
    const lag = (now: number, lag_entries: number) => about(now, { bus: { ...about(0).bus, lag_entries } });
    expect(behindSince([lag(0, 3), lag(2000, 0), lag(4000, 1), lag(6000, 2)])).toBe(4000);
    expect(behindSince([lag(0, 3), lag(2000, 0)])).toBeNull();
  });
});

const told = (lines: Line[], name: string, before: About | null, after: About) =>
  lines.find((line) => line.name === name)!.between(before, after);

describe("figures", () => {
  const before = about(0, { frames: { a: { shared: 10, own: 5 } }, sent_bytes: 1000, closes: { 4001: 2 } });
  const after = about(10_000, {
    frames: { a: { shared: 12, shared_deflated: 8, own: 5 }, b: { own_deflated: 5 } },
    sent_bytes: 3048,
    closes: { 4001: 2, 4002: 1 },
  });

  it("are told of the last minute with their rate, and since the start", () => {
    expect(told(traffic(), "frames", before, after)).toBe("15, 1.5 a second");
    expect(told(traffic(), "frames", null, after)).toBe("30");
    expect(told(traffic(), "bytes", before, after)).toBe("2 KiB, 205 B a second");
    expect(told(traffic(), "conflated", before, after)).toBe("0");
  });

  it("have no rate while there is one answer", () => {
    expect(told(traffic(), "frames", after, after)).toBe("not yet known");
  });

  it("say which part was written once for several", () => {
    expect(told(traffic(), "shared", before, after)).toBe("67 %");
    expect(told(traffic(), "shared", after, after)).toBe("none");
  });

  it("name the reasons of what happened", () => {
    expect(told(events(), "closes", before, after)).toBe("4002 1");
    expect(told(events(), "closes", null, after)).toBe("4001 2, 4002 1");
    expect(told(delays(), "attention", before, after)).toBe("none");
  });
});

describe("health", () => {
  const at = (now: number, bus: Partial<About["bus"]>, change: Partial<About> = {}) =>
    about(now, { bus: { ...about(0).bus, ...bus }, ...change });

  it("has nothing to say of what is as it should be", () => {
    expect(troubles([about(0), about(2000)])).toEqual([]);
    expect(troubles([])).toEqual([]);
  });

  it("lets a moment pass, and tells of a log that is not read up for long", () => {
    expect(troubles([at(0, { lag_entries: 5 }), at(8000, { lag_entries: 5 })])).toEqual([]);
    const held = [at(0, { lag_entries: 0 }), at(2000, { lag_entries: 5 }), at(13_000, { lag_entries: 9 })];
    expect(troubles(held)).toEqual(["It has been behind the log for 11 s: 9 entries are not read yet."]);
  });

  it("tells of a log that is away, of losses and of slow browsers", () => {
    const held = [at(0, {}), at(2000, { lag_entries: null, gaps: 1, poison: 2 }, { clients: { behind: 1 } })];
    expect(troubles(held)).toEqual([
      "The log is away: nothing new arrives.",
      "Entries were lost in the last minute.",
      "2 entries could not be read in the last minute.",
      "1 browser is too slow for what is sent to it.",
    ]);
  });

  it("tells of a late event loop once there is enough to judge by", () => {
    const held = Array.from({ length: 10 }, (_, n) =>
      about(n * 2000, { loop_lag: distribution([0, 0, 0], n) }),
    );
    expect(troubles(held)).toEqual(["Its event loop is late: it has too much to do."]);
    expect(troubles(held.slice(0, 9))).toEqual([]);
  });
});
