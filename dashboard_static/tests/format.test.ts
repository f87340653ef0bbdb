import { describe, expect, it } from "vitest";
import { bytes, clock, compact, cost, dateTime, duration, exact, safeHref, span, sum, unturned, usd } from "../src/format";

describe("what is not known", () => {
  it("is said so and is never 0", () => {
    for (const text of [
      compact(null),
      exact(undefined),
      usd(null),
      duration(null),
      cost(null, "priced"),
      cost(0, "unknown"),
    ]) {
      expect(text).toBe("unknown");
    }
    expect(sum(null)).toBeNull();
    expect(sum({ input: null, output: null, cache_read: null, cache_write: null })).toBeNull();
  });

  it("is not confused with a real zero", () => {
    expect(compact(0)).toBe("0");
    expect(sum({ input: 0, output: 0, cache_read: 0, cache_write: 0 })).toBe(0);
    expect(cost(0, "priced")).toBe("$0.00");
  });
});

describe("cost", () => {
  it("shows its state", () => {
    expect(cost(1.234, "priced")).toBe("$1.23");
    expect(cost(1.234, "partial")).toBe("≥ $1.23");
    expect(cost(null, "unpriced")).toBe("unpriced");
    expect(cost(0, "unpriced")).toBe("unpriced");
    expect(usd(0.002)).toBe("<$0.01");
    expect(usd(12_345.6)).toBe("$12,345.60");
  });
});

describe("numbers", () => {
  it.each([
    [999, "999"],
    [1234, "1.2k"],
    [99_949, "99.9k"],
    [99_950, "100k"],
    [999_499, "999k"],
    [999_500, "1.00M"],
    [12_345_678, "12.3M"],
    [592_000_000, "592M"],
    [1_234_000_000, "1.23B"],
  ])("%d is %s", (value, text) => {
    expect(compact(value)).toBe(text);
    expect(text.length).toBeLessThanOrEqual(5);
  });

  it("are grouped where they are exact", () => {
    expect(exact(1_234_567)).toBe("1,234,567");
    expect(bytes(48_213)).toBe("47 KiB");
  });
});

describe("spans", () => {
  it.each([
    [0, "now"],
    [7000, "5s"],
    [59_999, "55s"],
    [60_000, "1m"],
    [3_600_000, "1h"],
    [90_000_000, "1d"],
  ])("%d ms is %s", (ms, text) => expect(span(ms)).toBe(text));

  it.each([
    [320, "320 ms"],
    [4200, "4.2 s"],
    [42_000, "42 s"],
    [412_000, "6m 52s"],
    [3_723_000, "1h 02m"],
    [180_000_000, "2d 2h"],
  ])("%d ms lasted %s", (ms, text) => expect(duration(ms)).toBe(text));
});

describe("marks of direction", () => {
  it("are shown where they would bend what is read, and nothing else is changed", () => {
    expect(unturned("rm \u202egnp\u2069")).toBe("rm \\u202egnp\\u2069");
    const whole = "\u0645\u0631\u062d a\u200db\n";
    expect(unturned(whole)).toBe(whole);
  });
});

describe("links", () => {
  it("are http(s) or none", () => {
    expect(safeHref("https://calendar.example/1")).toBe("https://calendar.example/1");
    for (const text of [
      "javascript:alert(1)",
      "data:text/html,x",
      " https://x",
      "//x",
      "ftp://x",
      "",
      null,
    ]) {
      expect(safeHref(text)).toBeNull();
    }
  });
});

describe("a time that no date can be", () => {
  it("is unknown, and ends no page", () => {
    expect([clock(1e20), dateTime(-1e20), dateTime(NaN)]).toEqual(["unknown", "unknown", "unknown"]);
  });
});
