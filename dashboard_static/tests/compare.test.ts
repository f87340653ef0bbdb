import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CHOSEN_MAX, chosen, toggleChosen } from "../src/chosen";
import type { Compared } from "../src/compare/answer";
import { columns, points, valueAt } from "../src/compare/curves";
import { difference, marked, ROWS, type Figure } from "../src/compare/rows";
import { union } from "../src/compare/union";
import { EVERY_MS, Watch } from "../src/compare/watch";
import { exact, usd } from "../src/format";
import { namedPath } from "../src/history/asked";
import { changed, flush, model } from "../src/live";
import type { Bucket } from "../src/protocol";
import { emptyOutcome } from "../src/store/outcome";
import { summary } from "./frames";

const MINUTE = 60_000;
const known = (...values: (number | null)[]): Figure[] => values.map((value) => ({ value }));

function compared(change: Partial<Compared> = {}): Compared {
  return {
    ...summary("a"),
    models: {},
    tools: {},
    objectives_list: {},
    token_series: [],
    errors: 0,
    ...change,
  };
}

const figure = (name: string, session: Compared): Figure =>
  ROWS.find((row) => row.name === name)!.of(session);

describe("what is marked in a row", () => {
  it("is the lowest or the highest, all of them where several are", () => {
    expect(marked(known(3, 1, 2), "lowest")).toEqual([false, true, false]);
    expect(marked(known(3, 1, 3), "highest")).toEqual([true, false, true]);
    expect(marked(known(3, 1), undefined)).toEqual([false, false]);
  });

  it("is nothing where all are the same or one is not known", () => {
    expect(marked(known(2, 2), "lowest")).toEqual([false, false]);
    expect(marked(known(2, null, 1), "lowest")).toEqual([false, false, false]);
  });

  it("is never a lower bound, and a bound does not hide what is surely lower", () => {
    expect(marked([{ value: 1, least: true }, { value: 2 }], "lowest")).toEqual([false, false]);
    expect(marked([{ value: 3, least: true }, { value: 2 }], "lowest")).toEqual([false, true]);
  });
});

describe("how far a session is from the first", () => {
  const words = (from: number | null, to: number | null) => difference({ value: from }, { value: to }, exact);

  it("is told in percent, and in times where it is ten times as much", () => {
    expect(words(100, 134)).toBe("34 % more");
    expect(words(100, 88)).toBe("12 % less");
    expect(words(100, 1000)).toBe("10 times as much");
    expect(words(7, 7)).toBe("the same");
  });

  it("does not round a difference away, nor what is left", () => {
    expect(words(1000, 1001)).toBe("< 1 % more");
    expect(words(1000, 1)).toBe("> 99 % less");
    expect(words(1000, 0)).toBe("100 % less");
  });

  it("is the whole where the first has nothing", () => {
    expect(difference({ value: 0 }, { value: 1.5 }, usd)).toBe("$1.50 more");
    expect(words(0, 0)).toBe("the same");
  });

  it("is not told of what is not known", () => {
    expect(words(null, 1)).toBe("");
    expect(words(1, null)).toBe("");
    expect(difference({ value: 1, least: true }, { value: 2 }, exact)).toBe("");
  });
});

describe("figures", () => {
  it("of cost are a bound, a word or unknown, as the state says", () => {
    expect(figure("cost", compared({ cost_usd: 2, cost_state: "partial" }))).toEqual({
      value: 2,
      least: true,
    });
    expect(figure("cost", compared({ cost_state: "unpriced" }))).toEqual({ value: null, words: "unpriced" });
    expect(figure("cost", compared()).value).toBeNull();
  });

  it("by objective need one that is done", () => {
    const priced = { cost_usd: 3, cost_state: "priced" } as const;
    expect(
      figure("cost_by_objective", compared({ ...priced, objectives: { done: 2, total: 5 } })).value,
    ).toBe(1.5);
    expect(
      figure("cost_by_objective", compared({ ...priced, objectives: { done: 0, total: 5 } })).words,
    ).toBe("none done");
    expect(figure("cost_by_objective", compared(priced)).words).toBe("none set");
  });

  it("by minute need tokens and a time", () => {
    const tokens = { input: 100, output: 20, cache_read: null, cache_write: null };
    expect(figure("rate", compared({ tokens, started_at: 0, updated_at: 2 * MINUTE })).value).toBe(60);
    expect(figure("rate", compared({ tokens, started_at: 5, updated_at: 5 })).value).toBeNull();
    expect(figure("rate", compared({ started_at: 0, updated_at: MINUTE })).value).toBeNull();
  });
});

const bucket = (minute: number, output: number): Bucket => ({
  at: minute * MINUTE,
  input: null,
  output,
  cache_read: null,
  cache_write: null,
});

describe("curves", () => {
  const one = { started_at: 10 * MINUTE + 5, token_series: [bucket(10, 4), bucket(13, 6)] };
  const other = { started_at: null, token_series: [bucket(100, 1)] };

  it("are added up from nothing at each one's start", () => {
    expect(points(one, "elapsed", "cumulative")).toEqual([
      [0, 0],
      [MINUTE, 4],
      [4 * MINUTE, 10],
    ]);
  });

  it("fall to zero in minutes without tokens", () => {
    expect(points(one, "clock", "minute").map(([at, tokens]) => [at / MINUTE, tokens])).toEqual([
      [10, 0],
      [11, 4],
      [12, 0],
      [13, 0],
      [14, 6],
    ]);
  });

  it("share one column of times", () => {
    expect(columns([one, other], "elapsed", "cumulative")).toEqual([
      [0, MINUTE, 4 * MINUTE],
      [0, 4, 10],
      [0, 1, null],
    ]);
    expect(columns([{ started_at: 5, token_series: [] }], "clock", "minute")).toEqual([[], []]);
  });

  it("say between two points what they said last", () => {
    expect(valueAt([null, 3, null, 5], 2, "minute")).toBe(3);
    expect(valueAt([null, 3], 0, "cumulative")).toBeNull();
  });

  it("stay as high at their end, and have no minutes after it", () => {
    expect(valueAt([0, 3, null], 2, "cumulative")).toBe(3);
    expect(valueAt([0, 3, null], 2, "minute")).toBeNull();
  });
});

describe("names in any of several maps", () => {
  it("come with those first that weigh most in all", () => {
    expect(
      union(
        [
          { Bash: 2, Edit: 2 },
          { Read: 3, Edit: 2 },
        ],
        (calls) => calls,
      ),
    ).toEqual(["Edit", "Read", "Bash"]);
  });
});

describe("exports of what is compared", () => {
  it("name exactly these, and none with a comma", () => {
    expect(namedPath(["a", "b/c"], "csv")).toBe("api/export?format=csv&ids=a%2Cb%2Fc");
    expect(namedPath(["a", "b,c"], "csv")).toBeNull();
  });
});

describe("picking", () => {
  afterEach(() => (chosen.value = []));

  it("lets one more take the place of the first", () => {
    for (const id of ["a", "b", "c", "d", "e"]) toggleChosen(id);
    expect(chosen.value).toEqual(["b", "c", "d", "e"]);
    expect(chosen.value).toHaveLength(CHOSEN_MAX);
    toggleChosen("c");
    expect(chosen.value).toEqual(["b", "d", "e"]);
  });
});

describe("a comparison", () => {
  const asked: string[] = [];
  let unseen = false;
  let watch: Watch;

  function row(id: string): void {
    model.overview.rows.set(id, summary(id));
    changed({ ...emptyOutcome(), rows: new Set([id]) });
    flush();
  }

  beforeEach(async () => {
    vi.useFakeTimers();
    vi.stubGlobal("document", { hidden: false });
    vi.stubGlobal("requestAnimationFrame", () => 0);
    vi.stubGlobal("fetch", (path: string) => {
      asked.push(path);
      return Promise.resolve(new Response('{"sessions":[]}'));
    });
    asked.length = 0;
    unseen = false;
    watch = new Watch({ ids: ["a", "b"], answered: () => {}, unseen: () => unseen });
    await vi.advanceTimersByTimeAsync(1);
  });
  afterEach(() => {
    watch.stop();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("is asked for once while nothing changes", async () => {
    await vi.advanceTimersByTimeAsync(4 * EVERY_MS);
    expect(asked).toEqual(["api/compare?ids=a%2Cb"]);
  });

  it("is asked for again after a change, and not more often than it may be", async () => {
    for (let n = 0; n < 10; n++) row("a");
    await vi.advanceTimersByTimeAsync(EVERY_MS - 2);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2);
    expect(asked).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(3 * EVERY_MS);
    expect(asked).toHaveLength(2);
  });

  it("is left alone by other sessions and behind a hidden tab", async () => {
    row("c");
    await vi.advanceTimersByTimeAsync(2 * EVERY_MS);
    expect(asked).toHaveLength(1);
    vi.stubGlobal("document", { hidden: true });
    row("b");
    await vi.advanceTimersByTimeAsync(2 * EVERY_MS);
    expect(asked).toHaveLength(1);
    vi.stubGlobal("document", { hidden: false });
    await vi.advanceTimersByTimeAsync(EVERY_MS);
    expect(asked).toHaveLength(2);
  });

  it("is asked for steadily where the board does not tell of one that is at work", async () => {
    unseen = true;
    await vi.advanceTimersByTimeAsync(2 * EVERY_MS);
    expect(asked).toHaveLength(3);
  });
});
