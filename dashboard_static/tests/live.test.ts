import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { toggleFolded } from "../src/board/choices";
import { layout } from "../src/board/layout";
import { rowId } from "../src/board/row_id";
import { noteScroll } from "../src/board/scrolled";
import { changed, flush, model, row } from "../src/live";
import { emptyOutcome } from "../src/store/outcome";
import { summary } from "./frames";

let frames: (() => void)[] = [];

beforeAll(() => void vi.useFakeTimers());
afterAll(() => void vi.useRealTimers());
beforeEach(() => {
  frames = [];
  vi.stubGlobal("document", { hidden: false });
  vi.stubGlobal("requestAnimationFrame", (draw: () => void) => frames.push(draw));
});
afterEach(() => {
  vi.advanceTimersByTime(10_000);
  flush();
  vi.advanceTimersByTime(0);
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

describe("a frame", () => {
  let takes_ms = 0;
  let look = () => {};
  const change = () => {
    model.overview.rows.set("a", summary("a", { title: `at ${performance.now()}` }));
    changed({ ...emptyOutcome(), rows: new Set(["a"]) });
  };
  /** Draws what is to be drawn, and tells how often that was. */
  const drawn = () => {
    const due = frames;
    frames = [];
    due.forEach((draw) => draw());
    vi.advanceTimersByTime(0);
    return due.length;
  };

  beforeEach(() => {
    takes_ms = 0;
    look = row("a").subscribe(() => void vi.advanceTimersByTime(takes_ms));
  });
  afterEach(() => look());

  it("comes at once, and once for all that changed until then", () => {
    change();
    change();
    expect(drawn()).toBe(1);
    vi.advanceTimersByTime(16);
    change();
    expect(drawn()).toBe(1);
  });

  it("leaves fifteen times as long to everything else as it took", () => {
    takes_ms = 10;
    change();
    expect(drawn()).toBe(1);
    change();
    vi.advanceTimersByTime(149);
    expect(frames.length).toBe(0);
    vi.advanceTimersByTime(1);
    expect(frames.length).toBe(1);
  });

  it("is never further than 200 ms from the one before", () => {
    takes_ms = 90;
    change();
    drawn();
    change();
    vi.advanceTimersByTime(199);
    expect(frames.length).toBe(0);
    vi.advanceTimersByTime(1);
    expect(frames.length).toBe(1);
  });

  it("with a snapshot in it waits for nothing", () => {
    takes_ms = 90;
    change();
    drawn();
    change();
    expect(frames.length).toBe(0);
    changed({ ...emptyOutcome(), allRows: true });
    expect(frames.length).toBe(1);
  });
});

describe("the places of rows", () => {
  /** The session that begins last stands first. */
  const begins = (id: string, started_at: number) => {
    model.overview.rows.set(id, summary(id, { started_at }));
    changed({ ...emptyOutcome(), rows: new Set([id]) });
    flush();
  };
  const stand = () => layout.peek().entries.filter((id) => id !== "a");

  beforeEach(() => {
    model.overview.rows.clear();
    changed({ ...emptyOutcome(), allRows: true });
    flush();
    vi.advanceTimersByTime(10_000);
  });

  it("stay under the wheel, and are right as soon as it rests", () => {
    noteScroll(performance.now());
    begins("b", 2000);
    expect(stand()).toEqual([]);
    vi.advanceTimersByTime(149);
    frames.splice(0).forEach((draw) => draw());
    expect(stand()).toEqual([]);
    vi.advanceTimersByTime(1);
    frames.splice(0).forEach((draw) => draw());
    expect(stand()).toEqual(["b"]);
  });

  it("are two seconds old at most, however long the wheel turns", () => {
    noteScroll(performance.now());
    begins("b", 2000);
    const began = performance.now();
    while (stand().length === 0 && performance.now() - began < 5000) {
      vi.advanceTimersByTime(16);
      noteScroll(performance.now());
      frames.splice(0).forEach((draw) => draw());
    }
    const since = performance.now() - began;
    expect(since).toBeGreaterThan(1900);
    expect(since).toBeLessThan(2100);
  });

  it("are at once those that a person chose", () => {
    noteScroll(performance.now());
    begins("b", 2000);
    begins("c", 3000);
    expect(stand()).toEqual([]);
    toggleFolded("none");
    expect(stand()).toEqual(["c", "b"]);
  });
});
