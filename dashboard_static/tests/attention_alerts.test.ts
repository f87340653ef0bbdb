import { beforeEach, describe, expect, it, vi } from "vitest";
import { Busy, due, keyOf } from "../src/attention/due";
import { bounded, readTold, writeTold } from "../src/attention/told";
import type { Status } from "../src/protocol";
import { item } from "./frames";

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => kept.set(key, text),
  });
});

describe("an alert", () => {
  it("is due for what opened since somebody listens, once", () => {
    const [old, fresh] = [item("1", { opened_at: 10 }), item("2", { opened_at: 30 })];
    expect(due([old, fresh], 20, new Set())).toEqual([fresh]);
    expect(due([old, fresh], 20, new Set([keyOf(fresh)]))).toEqual([]);
  });

  it("is due anew for an id that was open before", () => {
    const told = new Set([keyOf(item("s:failure", { opened_at: 30 }))]);
    expect(due([item("s:failure", { opened_at: 40 })], 20, told)).toHaveLength(1);
  });

  it("is remembered by the browser, all that is open and the latest of the rest", () => {
    const keys = Array.from({ length: 900 }, (_, at) => `k${at}`);
    const kept = bounded([...keys, "k899"], new Set(["k0", "k1"]));
    expect(kept).toHaveLength(502);
    expect(kept.slice(-2)).toEqual(["k0", "k1"]);
    expect(kept).not.toContain("k399");
    writeTold({ heard_at: 5, keys: ["a"] }, new Set());
    expect(readTold()).toEqual({ heard_at: 5, keys: ["a"] });
  });

  it("survives whatever is found in the browser", () => {
    for (const text of ["", "null", "7", '{"keys":7,"heard_at":"x"}', '{"keys":[1]}']) {
      localStorage.setItem("tower.alerts", text);
      expect(readTold(), text).toEqual({ heard_at: null, keys: [] });
    }
  });
});

describe("a pinned session", () => {
  const rounds = (...statuses: (Status | undefined)[]) => {
    const busy = new Busy();
    return statuses.map((status) => busy.round(["s"], () => status).length);
  };

  it("has finished when it was busy and is no longer", () => {
    expect(rounds("running", "waiting", "idle", "idle", "running", "failed")).toEqual([0, 0, 1, 0, 0, 1]);
    expect(rounds("waiting", "ended")).toEqual([0, 1]);
  });

  it("has not finished because nothing is heard of it, or it was done when it was pinned", () => {
    expect(rounds("running", "stale", undefined, "idle")).toEqual([0, 0, 0, 1]);
    expect(rounds("idle", "ended")).toEqual([0, 0]);
    const busy = new Busy();
    busy.round(["s"], () => "running");
    busy.round([], () => "running");
    expect(busy.round(["s"], () => "idle")).toEqual([]);
  });
});
