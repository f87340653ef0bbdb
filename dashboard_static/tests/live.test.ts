import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { rowId } from "../src/board/row_id";
import { changed, flush, model, row } from "../src/live";
import { emptyOutcome } from "../src/store/outcome";
import { summary } from "./frames";

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", { hidden: false });
  vi.stubGlobal("requestAnimationFrame", () => 0);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the row of a session", () => {
  it("is one for all who look at it, and is kept no longer than they look", () => {
    model.overview.rows.set("a", summary("a", { title: "one" }));
    const held = row("a");
    const told: unknown[] = [];
    const look = held.subscribe((value) => void told.push(value?.title));
    expect(row("a")).toBe(held);
    model.overview.rows.set("a", summary("a", { title: "two" }));
    changed({ ...emptyOutcome(), rows: new Set(["a"]) });
    flush();
    expect(told).toEqual(["one", "two"]);
    look();
    expect(row("a")).not.toBe(held);
    expect(row("a").peek()?.title).toBe("two");
  });

  it("has a name in the page that no other has, without a space", () => {
    const ids = ["a/b", "a_b", "a b", "a_2f_b", "a\nb"];
    const names = ids.map(rowId);
    expect(new Set(names).size).toBe(ids.length);
    expect(names.join("")).not.toMatch(/\s/);
  });
});
