import { describe, expect, it } from "vitest";
import { clockMinute, costStateOf } from "../src/format";
import type { SourceUsage } from "../src/protocol";
import {
  costWords,
  differenceWords,
  inheritedWords,
  sourceWord,
  silentWords,
  unpricedModels,
} from "../src/session/source_words";

const tokens = (input: number) => ({ input, output: 0, cache_read: 0, cache_write: 0 });
const told = (input: number): SourceUsage => ({
  tokens: tokens(input),
  cost_usd: null,
  cost_state: "unpriced",
  calls: null,
});
const model = (cost_usd: number | null, unpriced?: number | null) => ({ tokens: null, cost_usd, unpriced });

describe("the cost in words", () => {
  it("says its state, what has no price, and the table", () => {
    const prices = { package: "genai-prices", version: "0.2.3" };
    expect(costWords("priced", [], prices)).toBe("Every call has a price. Prices: genai-prices 0.2.3.");
    expect(costWords("partial", ["\u202ex"], null)).toContain("Without a price: \\u202ex.");
    expect(costWords("partial", ["made-up", "other"], prices)).toBe(
      "Some calls have no price: this is a lower bound. Without a price: made-up, other. Prices: genai-prices 0.2.3.",
    );
  });

  it("leaves out what is not known", () => {
    expect(costWords("unpriced", [], null)).toBe("No call has a price.");
  });

  it("names the models of which a call has no price, in their order", () => {
    const models = { b: model(null, 3), a: model(0.5, 1), priced: model(0.5, 0), metrics: model(0.5, null) };
    expect(unpricedModels({ ...models, odd: model(null, null) })).toEqual(["a", "b", "odd"]);
  });

  it("is a lower bound for a model of which one call has no price", () => {
    expect(costStateOf(model(0.5, 1))).toBe("partial");
    expect(costStateOf(model(0.5, 0))).toBe("priced");
    expect(costStateOf(model(0.5, null))).toBe("priced");
    expect(costStateOf(model(null, null))).toBe("unpriced");
  });
});

describe("what another source says", () => {
  it("is how far it is from the one that counts", () => {
    expect(differenceWords(told(1000), told(1000))).toBe("says the same");
    expect(differenceWords(told(1000), told(1012))).toBe("says 1.2 % more");
    expect(differenceWords(told(1000), told(970))).toBe("says 3.0 % less");
    expect(differenceWords(told(1_000_000), told(1_000_001))).toBe("says less than 0.1 % more");
    expect(differenceWords(told(0), told(7))).toBe("says 7 more");
  });

  it("is unknown where it tells no tokens", () => {
    const silent = { ...told(0), tokens: { input: null, output: null, cache_read: null, cache_write: null } };
    expect(differenceWords(told(1000), silent)).toBe("unknown");
  });

  it("has a name that people know, or its own", () => {
    expect([sourceWord("otlp_metrics"), sourceWord("my-agent")]).toEqual(["OTLP metrics", "my-agent"]);
  });
});

it("a silent source says since when, and what may be behind", () => {
  const at = Date.UTC(2026, 10, 20, 12, 4);
  expect(silentWords("transcript", at)).toBe(
    `Transcript silent since ${clockMinute(at)}: tokens may be behind.`,
  );
  expect(silentWords("hooks", at)).toContain("status may be behind");
});

it("what is inherited is said not to count", () => {
  expect(inheritedWords({ tokens: tokens(1700), cost_usd: 0.25 })).toBe(
    "1,700 tokens ($0.25) inherited from another session, not counted.",
  );
  expect(inheritedWords({ tokens: tokens(5), cost_usd: null })).toBe(
    "5 tokens inherited from another session, not counted.",
  );
});
