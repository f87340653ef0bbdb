import { describe, expect, it } from "vitest";
import type { Bucket, Detail, Entry } from "../src/protocol";
import { applyPatch, extend, patchMap } from "../src/store/patch";
import { patch, summary } from "./frames";

const entry = (seq: number, text = ""): Entry => ({ seq, at: seq, kind: "message", id: `m${seq}`, text });
const detail = (change: Partial<Detail> = {}): Detail => ({
  ...summary("a"),
  objectives_list: {},
  tools: { Read: { calls: 1, errors: 0, total_ms: 5 } },
  models: {},
  subagents_tree: {},
  inherited: null,
  usage_sources: {},
  silent: {},
  token_series: [],
  errors_list: [],
  timeline: [],
  ...change,
});

describe("maps", () => {
  it("keep a key that is a word of the language", () => {
    const told = JSON.parse('{"__proto__": {"calls": 1}, "constructor": {"calls": 2}}') as Record<string, unknown>;
    const next = patchMap({ Read: {} }, told);
    expect(Object.keys(next)).toEqual(["Read", "__proto__", "constructor"]);
    expect(Object.getPrototypeOf(next)).toBe(Object.prototype);
  });

  it("upsert by key, and null removes", () => {
    expect(patchMap({ a: 1, b: 2 }, { b: null, c: 3 })).toEqual({ a: 1, c: 3 });
    expect(patchMap(undefined, { c: 3 })).toEqual({ c: 3 });
  });

  it("leave every other map the same object", () => {
    const before = detail();
    const after = applyPatch(
      before,
      patch("a", "1", "2", {
        maps: { objectives_list: { "1": { text: "x", status: "pending", at: null } } },
      }),
    );
    expect(after.tools).toBe(before.tools);
    expect(after.objectives_list["1"]).toMatchObject({ text: "x" });
  });

  it("of a name yet unknown are kept", () => {
    expect(applyPatch(detail(), patch("a", "1", "2", { maps: { news: { k: 1 } } }))).toMatchObject({
      news: { k: 1 },
    });
  });
});

describe("series", () => {
  const timeline = { key: "seq", max: 500 } as const;

  it("replace the item with that key and add the others in order", () => {
    const items = extend([entry(1), entry(2), entry(4)], [entry(2, "new"), entry(3), entry(5)], timeline);
    expect(items.map((each) => each.seq)).toEqual([1, 2, 3, 4, 5]);
    expect(items[1]?.text).toBe("new");
  });

  it("are cut to the newest 500 entries and 50 errors", () => {
    const many = Array.from({ length: 600 }, (_, at) => entry(at + 1));
    const errors = Array.from({ length: 60 }, (_, at) => ({ seq: at + 1, at, text: "x" }));
    const after = applyPatch(
      detail(),
      patch("a", "1", "2", { append: { timeline: many, errors_list: errors } }),
    );
    expect(after.timeline).toHaveLength(500);
    expect(after.timeline[0]?.seq).toBe(101);
    expect(after.errors_list).toHaveLength(50);
    expect(after.errors_list[0]?.seq).toBe(11);
  });

  it("of tokens are keyed by minute and never cut", () => {
    const bucket = (at: number, output: number): Bucket => ({
      at,
      input: 0,
      output,
      cache_read: 0,
      cache_write: 0,
    });
    const held = Array.from({ length: 240 }, (_, at) => bucket(at * 60_000, 1));
    const after = applyPatch(
      detail({ token_series: held }),
      patch("a", "1", "2", { append: { token_series: [bucket(239 * 60_000, 7), bucket(240 * 60_000, 2)] } }),
    );
    expect(after.token_series).toHaveLength(241);
    expect(after.token_series[239]?.output).toBe(7);
  });

  it("are replaced whole when `set` carries them", () => {
    const after = applyPatch(
      detail(),
      patch("a", "1", "2", {
        set: { token_series: [{ at: 0, input: 1, output: 1, cache_read: 1, cache_write: 1 }] },
      }),
    );
    expect(after.token_series).toHaveLength(1);
  });

  it("do not change the held array", () => {
    const held = [entry(1)];
    extend(held, [entry(1, "new"), entry(2)], timeline);
    expect(held).toEqual([entry(1)]);
  });
});
