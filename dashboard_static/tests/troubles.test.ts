import { expect, it } from "vitest";
import { clockMinute, DAY, dayMinute } from "../src/format";
import type { TroubledSource } from "../src/protocol";
import { troubleKey, troubleLines, troubleWords } from "../src/troubles";

const NOW = 1_790_000_000_000;

function source(host: string, more: Partial<TroubledSource> = {}): TroubledSource {
  return { host, user: "ada", state: "silent", heard_at: NOW - 120_000, bytes_behind: null, ...more };
}

it("a silent machine is named with the minute in which it was heard last", () => {
  expect(troubleLines([source("laptop-3")], NOW)).toEqual([
    `nothing from laptop-3 since ${clockMinute(NOW - 120_000)}`,
  ]);
});

it("a minute of another day has its day", () => {
  const [line] = troubleLines([source("laptop-3", { heard_at: NOW - DAY })], NOW);
  expect(line).toBe(`nothing from laptop-3 since ${dayMinute(NOW - DAY)}`);
});

it("a machine that is behind is named with how much", () => {
  const late = source("laptop-3", { state: "late", bytes_behind: 12 * 1024 * 1024 });
  expect(troubleLines([late], NOW)).toEqual(["laptop-3 is 12.0 MiB behind"]);
});

it("several are one line", () => {
  expect(troubleWords([])).toBe("");
  expect(troubleWords(["a"])).toBe("a");
  expect(troubleWords(["a", "b", "c"])).toBe("a, and 2 more");
});

it("what grows is the same trouble, who falls silent again is another one", () => {
  const late = source("laptop-3", { state: "late", bytes_behind: 1 });
  expect(troubleKey([late])).toBe(troubleKey([{ ...late, heard_at: NOW, bytes_behind: 2 }]));
  expect(troubleKey([source("laptop-3")])).not.toBe(troubleKey([source("laptop-3", { heard_at: NOW })]));
  expect(troubleKey([late])).not.toBe(troubleKey([source("laptop-3")]));
});
