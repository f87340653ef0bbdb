import { describe, expect, it } from "vitest";
import type { Entry, Subagent } from "../src/protocol";
import { flatten, folded } from "../src/session/branches";
import { joined } from "../src/session/entries";
import { counted, narrowed } from "../src/session/timeline_kinds";
import { heightOf, offsets, outcomeOf, placeOf, rowAt, timelineRows } from "../src/session/timeline_rows";

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

  it("are the same objects for as long as they say the same", () => {
    const entries = [start(1, "a"), start(2, "b")];
    const [first, second] = timelineRows(entries);
    const [same, ended] = timelineRows([...entries, end(3, "b")]);
    expect(same).toBe(first);
    expect(ended).not.toBe(second);
  });

  it("are found by the start and by the end that they show", () => {
    const rows = timelineRows([start(1, "a"), start(2, "b"), end(3, "a")]);
    expect([1, 2, 3, 4].map((seq) => placeOf(rows, seq))).toEqual([0, 1, 0, -1]);
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

describe("kinds of entries", () => {
  const rows = timelineRows([
    { seq: 1, at: 1, kind: "prompt", id: "p" },
    start(2, "a"),
    end(3, "a", "error"),
    { seq: 4, at: 4, kind: "error", id: "e" },
    { seq: 5, at: 5, kind: "compaction", id: "c" },
  ]);

  it("are counted, a tool that failed among the tools and among the errors", () => {
    const { prompts, tools, errors, other, messages } = counted(rows);
    expect({ prompts, tools, errors, other, messages }).toEqual({
      prompts: 1,
      tools: 1,
      errors: 2,
      other: 1,
      messages: 0,
    });
  });

  it("narrow a timeline to any of those chosen, and none chosen is all", () => {
    const keys = (chosen: Parameters<typeof narrowed>[1]) => narrowed(rows, chosen).map((row) => row.key);
    expect(keys(new Set(["errors"]))).toEqual(["a", "e"]);
    expect(keys(new Set(["prompts", "other"]))).toEqual(["p", "c"]);
    expect(keys(new Set())).toEqual(["p", "a", "e", "c"]);
  });
});

describe("older entries", () => {
  const numbered = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, at) => start(from + at, `t${from + at}`));
  const seqs = (entries: readonly Entry[]) => entries.map(({ seq }) => seq);

  it("stand before what is held, each once", () => {
    expect(seqs(joined(numbered(1, 4), numbered(3, 6)))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(seqs(joined(numbered(1, 2), numbered(3, 4)))).toEqual([1, 2, 3, 4]);
  });

  it("are let go where something between is missing", () => {
    expect(seqs(joined(numbered(1, 2), numbered(4, 5)))).toEqual([4, 5]);
    expect(seqs(joined(numbered(7, 8), numbered(4, 5)))).toEqual([4, 5]);
  });

  it("say what is held now, not what was", () => {
    const present = { ...start(2, "t2"), text: "anew" };
    expect(joined(numbered(1, 2), [present])[1]).toBe(present);
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
  const agent = (parent: string | null, status = "running"): Subagent => ({
    type: "x",
    parent,
    status,
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

  it("hang on lines that go by or end", () => {
    const rows = flatten({ a: agent(null), b: agent("a"), c: agent("b"), d: agent("a"), e: agent("d") });
    expect(rows.map((row) => row.lines)).toEqual([
      [],
      ["more"],
      ["by", "last"],
      ["last"],
      ["none", "last"],
    ]);
  });

  it("in a circle are still shown once", () => {
    expect(
      flatten({ a: agent("b"), b: agent("a") })
        .map((row) => row.id)
        .sort(),
    ).toEqual(["a", "b"]);
  });

  it("many, are folded to those at work with all they hang on, then the latest", () => {
    const tree = flatten({
      root: agent(null, "done"),
      under: agent("root", "done"),
      busy: agent("under"),
      early: agent(null, "done"),
      late: agent(null, "done"),
    });
    expect(folded(tree, 4).map((row) => row.id)).toEqual(["root", "under", "busy", "late"]);
    expect(folded(tree, 5)).toBe(tree);
  });
});
