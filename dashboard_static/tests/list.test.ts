import { describe, expect, it } from "vitest";
import { arrange, type Arrangement } from "../src/board/arrange";
import { levelOf } from "../src/board/context_gauge";
import { figuresOf } from "../src/board/figures";
import type { Summary } from "../src/protocol";
import { isHead, rangeInView, topOf, type Places } from "../src/virtual";
import { summary } from "./frames";

const rows = (...all: Summary[]) => new Map(all.map((row) => [row.id, row]));
const plain = (change: Partial<Arrangement> = {}): Arrangement => ({
  grouping: "none",
  pins: new Set(),
  folded: new Set(),
  matches: () => true,
  ...change,
});

describe("the list", () => {
  const all = rows(
    summary("a", { project: "mill", status: "running" }),
    summary("b", { project: "barn", status: "idle" }),
    summary("c", { project: "mill", status: "waiting" }),
    summary("d", { project: null, status: "idle" }),
  );
  const order = [...all.keys()];

  it("without groups is the order of those that match", () => {
    const list = arrange(order, all, plain({ matches: ({ id }) => id !== "b" }));
    expect(list).toMatchObject({ entries: ["a", "c", "d"], heads: [], count: 3 });
  });

  it("keeps the order in each group, and groups stand as their first rows do", () => {
    const list = arrange(order, all, plain({ grouping: "project" }));
    expect(list.entries).toEqual(["project:mill", "a", "c", "project:barn", "b", "project:", "d"]);
    expect(list.heads).toEqual([0, 3, 5]);
    expect(list.count).toBe(4);
  });

  it("has groups of a status always in the same order", () => {
    const list = arrange(order, all, plain({ grouping: "status" }));
    const heads = list.heads.map((at) => list.entries[at]);
    expect(heads).toEqual(["status:waiting", "status:running", "status:idle"]);
  });

  it("has pinned rows on top, matching or not, and nowhere else", () => {
    const list = arrange(order, all, plain({ pins: new Set(["d", "gone"]), matches: ({ id }) => id === "a" }));
    expect(list.entries).toEqual(["pinned", "d", "others", "a"]);
    expect(list.count).toBe(2);
  });

  it("shows of a folded group its head alone, and counts it nonetheless", () => {
    const list = arrange(order, all, plain({ grouping: "project", folded: new Set(["project:mill"]) }));
    expect(list.entries).toEqual(["project:mill", "project:barn", "b", "project:", "d"]);
    expect(list.count).toBe(4);
    expect(list.groups.get("project:mill")!.ids).toEqual(["a", "c"]);
  });
});

describe("the figures of a group", () => {
  const tokens = { input: 1, output: 2, cache_read: 3, cache_write: 4 };

  it("add up what is known and say that it is not all", () => {
    const all = rows(
      summary("a", { tokens, cost_usd: 1, cost_state: "priced", status: "waiting" }),
      summary("b", { attention: 2 }),
    );
    expect(figuresOf(["a", "b"], all)).toEqual({
      sessions: 2,
      waiting: 2,
      tokens: 10,
      cost_usd: 1,
      cost_state: "partial",
    });
  });

  it("are unknown where nothing is known, never 0", () => {
    const told = figuresOf(["a"], rows(summary("a", { cost_usd: 0, cost_state: "unpriced" })));
    expect(told).toMatchObject({ tokens: null, cost_usd: null, cost_state: "unpriced" });
    expect(figuresOf(["a"], rows(summary("a")))).toMatchObject({ cost_usd: null, cost_state: "unknown" });
  });
});

describe("virtual rows", () => {
  const even = (count: number): Places => ({ count, rowHeight: 52, headHeight: 34, heads: [] });

  it("are those in view and a few more", () => {
    expect(rangeInView(even(5000), 0, 519)).toEqual({ first: 0, last: 16 });
    expect(rangeInView(even(5000), 52_000, 519)).toEqual({ first: 994, last: 1016 });
    expect(rangeInView(even(10), 52_000, 520)).toEqual({ first: 3, last: 10 });
    expect(rangeInView(even(0), 0, 520)).toEqual({ first: 0, last: 0 });
  });

  it("stand below each other without a gap, heads among them", () => {
    const places: Places = { count: 300, rowHeight: 32, headHeight: 34, heads: [0, 5, 6, 200] };
    let top = 0;
    for (let at = 0; at < 300; at++) {
      expect(isHead(places, at)).toBe(places.heads.includes(at));
      expect(topOf(places, at)).toBe(top);
      expect(rangeInView(places, top, 0, 0)).toEqual({ first: at, last: at + 1 });
      top += places.heads.includes(at) ? 34 : 32;
    }
    expect(topOf(places, 300)).toBe(top);
  });
});

describe("the gauge of a context", () => {
  it.each([
    [79, "low"],
    [80, "high"],
    [94, "high"],
    [95, "full"],
    [130, "full"],
  ])("at %i %% is %s", (percent, level) => expect(levelOf(percent)).toBe(level));
});
