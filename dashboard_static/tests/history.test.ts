import { afterEach, describe, expect, it, vi } from "vitest";
import { askedOf, exportPath, queryOf, reportPath, sessionsPath, usagePath } from "../src/history/asked";
import { daysRange, withQuiet } from "../src/history/day_data";
import { isSpan, span } from "../src/history/days";
import { joined, type Listing } from "../src/history/listing";
import { askedWords } from "../src/history/on_paper";
import { Question } from "../src/question";
import { historyHref, parse } from "../src/router";
import { summary } from "./frames";

const NOW = Date.UTC(2026, 10, 27, 0, 30);
const DAY = 24 * 60 * 60_000;

describe("what is asked of history", () => {
  it("is the same after its way through the address", () => {
    const asked = { q: 'a&b "c/d" #%', status: "ended,failed", project: "ü", since: "2026-11-21", archived: "true" };
    const at = parse(historyHref(queryOf(asked)));
    expect(at).toMatchObject({ screen: "history" });
    expect(askedOf(at.screen === "history" ? at.query : "")).toEqual(asked);
  });

  it("is the same text in whatever order it was told", () => {
    expect(queryOf(askedOf("sort=cost&q=+x+&unknown=1&agent="))).toBe("q=x&sort=cost");
    expect(queryOf({ since: undefined, q: "" })).toBe("");
  });

  it("has the plain address where nothing is chosen", () => {
    expect(historyHref("")).toBe("#/history");
    expect(parse("#/history")).toEqual({ screen: "history", query: "" });
    expect(parse("#/historyx")).toEqual({ screen: "board" });
  });

  it("is asked of the API by the same names", () => {
    const asked = { q: "x y", since: "2026-11-21", sort: "cost" };
    expect(sessionsPath(queryOf(asked), { limit: "50" })).toBe(
      "api/sessions?q=x+y&since=2026-11-21&sort=cost&limit=50",
    );
    expect(usagePath("tool", asked)).toBe("api/usage?since=2026-11-21&by=tool");
    expect(exportPath(asked, "csv")).toBe("api/export?q=x+y&since=2026-11-21&sort=cost&format=csv");
    expect(reportPath("a/b")).toBe("api/export?format=html&ids=a%2Fb");
    expect(reportPath("a,b")).toBeNull();
  });
});

describe("what is asked, on paper", () => {
  it("is said in words, each that was chosen", () => {
    expect(askedWords(askedOf("q=mill&status=ended,failed&since=2026-11-01&until=2026-11-20&sort=cost"))).toEqual([
      "Found by: mill",
      "Status: ended, failed",
      "From 2026-11-01 to 2026-11-20",
      "Costliest first",
    ]);
    expect(askedWords(askedOf("project=mill&archived=true"))).toEqual([
      "Project: mill",
      "All days",
      "Archived too",
      "Latest first",
    ]);
  });
});

describe("spans of days", () => {
  it("begin so many days of UTC ago, today included", () => {
    expect(span(1, NOW)).toEqual({ since: "2026-11-27", until: undefined });
    expect(span(7, NOW)).toEqual({ since: "2026-11-21", until: undefined });
    expect(span(0, NOW)).toEqual({ since: undefined, until: undefined });
  });

  it("are known again in the address", () => {
    expect(isSpan(7, { since: "2026-11-21" }, NOW)).toBe(true);
    expect(isSpan(7, { since: "2026-11-21", until: "2026-11-22" }, NOW)).toBe(false);
    expect(isSpan(7, { since: "2026-11-21" }, NOW + DAY)).toBe(false);
    expect(isSpan(0, {}, NOW)).toBe(true);
  });
});

describe("pages", () => {
  const before: Listing = {
    query: "q=x",
    rows: [summary("a"), summary("b")],
    hits: { a: [["x", true]] },
    next: "n1",
    total: 3,
  };

  it("are joined with each session once, and the newest total", () => {
    const page = { sessions: [summary("b"), summary("c")], next: null, total: 4, hits: { c: [["x", true]] } };
    const after = joined(before, page as never);
    expect(after.rows.map((row) => row.id)).toEqual(["a", "b", "c"]);
    expect(after).toMatchObject({ query: "q=x", next: null, total: 4 });
    expect(Object.keys(after.hits)).toEqual(["a", "c"]);
    expect(before.rows).toHaveLength(2);
  });
});

describe("days of usage", () => {
  type Row = { key: string | null; calls: number };
  const quiet = (key: string): Row => ({ key, calls: 0 });

  it("have the quiet ones between them, and none of an unknown time", () => {
    const rows: Row[] = [
      { key: null, calls: 9 },
      { key: "2026-02-27", calls: 1 },
      { key: "2026-03-02", calls: 2 },
    ];
    expect(withQuiet(rows, quiet).map((row) => [row.key, row.calls])).toEqual([
      ["2026-02-27", 1],
      ["2026-02-28", 0],
      ["2026-03-01", 0],
      ["2026-03-02", 2],
    ]);
    expect(withQuiet([{ key: null, calls: 9 }], quiet)).toEqual([]);
  });

  it("are at least a week wide, with half a bar on each side", () => {
    expect(daysRange([7 * DAY])).toEqual([0.5 * DAY, 7.5 * DAY]);
    expect(daysRange([0, 29 * DAY])).toEqual([-0.5 * DAY, 29.5 * DAY]);
  });
});

describe("a question", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("takes the place of the one before, whose answer nobody hears", async () => {
    const answers: ((words: string) => void)[] = [];
    const signals: AbortSignal[] = [];
    vi.stubGlobal("fetch", (_path: string, { signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return new Promise<Response>((resolve) => answers.push((words) => resolve(Response.json({ words }))));
    });
    const question = new Question();
    const first = question.ask(["api/a"]);
    const second = question.ask(["api/b"]);
    expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
    answers[1]!("second");
    answers[0]!("first");
    expect(await first).toBeNull();
    expect((await second)?.map(({ body }) => body)).toEqual([{ words: "second" }]);
  });
});
