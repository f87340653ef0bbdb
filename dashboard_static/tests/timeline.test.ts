import { describe, expect, it } from "vitest";
import type { Entry, Subagent } from "../src/protocol";
import { flatten } from "../src/session/subagents";
import { heightOf, offsets, outcomeOf, rowAt, timelineRows } from "../src/session/timeline_rows";
import { placesInView } from "../src/virtual";

const start = (seq: number, id: string): Entry => ({
  seq,
  at: seq,
  kind: "tool",
  id,
  tool: "Bash",
  text: "ls",
});
const end = (seq: number, ref: string, status = "ok"): Entry => ({
  seq,
  at: seq,
  kind: "tool",
  id: `${ref}:end`,
  ref,
  tool: "Bash",
  status,
});

describe("timeline rows", () => {
  it("show a tool's start and end as one, where the start stands", () => {
    const rows = timelineRows([start(1, "t1"), start(2, "t2"), end(3, "t1"), end(4, "t2")]);
    expect(rows.map((row) => [row.start.seq, row.end?.seq])).toEqual([
      [1, 3],
      [2, 4],
    ]);
  });

  it("show an end whose start is no longer held as a row of its own", () => {
    const rows = timelineRows([end(8, "gone"), start(9, "t1")]);
    expect(rows.map((row) => row.start.id)).toEqual(["gone:end", "t1"]);
    expect(outcomeOf(rows[0]!, true)).toBe("done");
  });

  it("tell what became of a tool", () => {
    const [running, failed, done] = timelineRows([
      start(1, "a"),
      start(2, "b"),
      end(3, "b", "error"),
      start(4, "c"),
      end(5, "c"),
    ]);
    expect(outcomeOf(running!, true)).toBe("running");
    expect(outcomeOf(running!, false)).toBe("none");
    expect(outcomeOf(failed!, true)).toBe("failed");
    expect(outcomeOf(done!, true)).toBe("done");
  });

  it("stand below one another, opened ones higher", () => {
    const rows = timelineRows([start(1, "a"), start(2, "b"), start(3, "c")]);
    const tops = offsets(rows, new Set(["b"]));
    const open = heightOf(rows[1]!, true);
    expect(tops).toEqual([0, 30, 30 + open, 60 + open]);
    expect([-5, 0, 29, 30, 29 + open, 30 + open, 999].map((y) => rowAt(tops, y))).toEqual([
      0, 0, 0, 1, 1, 2, 2,
    ]);
    expect(rowAt([0], 10)).toBe(0);
  });
});

describe("an opened row", () => {
  it("is as high as its text seems, up to a limit", () => {
    const [short] = timelineRows([start(1, "a")]);
    const [long] = timelineRows([{ ...start(1, "a"), text: "x\n".repeat(400) }]);
    expect(heightOf(short!, false)).toBe(30);
    expect(heightOf(short!, true)).toBeLessThan(120);
    expect(heightOf(long!, true)).toBe(320);
  });
});

describe("subagents", () => {
  const agent = (parent: string | null): Subagent => ({
    type: "x",
    parent,
    status: "running",
    tokens: null,
    cost_usd: null,
  });

  it("stand under their parents, whatever the order of their coming", () => {
    const rows = flatten({ c: agent("b"), b: agent("a"), a: agent(null), other: agent("unknown") });
    expect(rows.map((row) => [row.id, row.depth])).toEqual([
      ["a", 0],
      ["b", 1],
      ["c", 2],
      ["other", 0],
    ]);
  });

  it("in a circle are still shown once", () => {
    expect(
      flatten({ a: agent("b"), b: agent("a") })
        .map((row) => row.id)
        .sort(),
    ).toEqual(["a", "b"]);
  });
});

describe("virtual rows", () => {
  it("are those in view and a few more", () => {
    expect(placesInView(0, 520, 52, 5000)).toEqual({ first: 0, last: 16 });
    expect(placesInView(52_000, 520, 52, 5000)).toEqual({ first: 994, last: 1016 });
    expect(placesInView(52_000, 520, 52, 10)).toEqual({ first: 10, last: 10 });
    expect(placesInView(0, 520, 52, 0)).toEqual({ first: 0, last: 0 });
  });
});
