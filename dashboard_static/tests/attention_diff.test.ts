import { describe, expect, it } from "vitest";
import { diff, type Line } from "../src/attention/diff";

const text = (lines: Line[]) => lines.map(({ sign, text }) => sign + text);
const side = (lines: Line[], sign: string) => lines.filter((line) => line.sign !== sign).map(({ text }) => text);

describe("a diff", () => {
  it("keeps what is common at both ends and in between", () => {
    expect(text(diff("a\nb\nc\nd\ne", "a\nB\nc\nD\ne"))).toEqual([" a", "-b", "+B", " c", "-d", "+D", " e"]);
  });

  it("tells of nothing but what was added, or taken away", () => {
    expect(text(diff("", "a\nb\n"))).toEqual(["+a", "+b"]);
    expect(text(diff("a\n\nb", ""))).toEqual(["-a", "-", "-b"]);
    expect(text(diff("a\na", "a\na\na"))).toEqual([" a", " a", "+a"]);
    expect(diff("", "")).toEqual([]);
    expect(text(diff("a", "a\n"))).toEqual(["-a", "+a"]);
  });

  it("gives both texts back, whatever they are", () => {
    let seed = 7;
    const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below;
    for (let round = 0; round < 300; round++) {
      const [old, fresh] = [0, 1].map(() => Array.from({ length: random(9) }, () => "abc"[random(3)]!));
      const lines = diff(old!.join("\n"), fresh!.join("\n"));
      expect(side(lines, "+")).toEqual(old);
      expect(side(lines, "-")).toEqual(fresh);
    }
  });

  it("does not match the lines of texts that are too long for it", () => {
    const long = (sign: string) => Array.from({ length: 3000 }, (_, at) => `${sign}${at % 7}`).join("\n");
    const lines = diff(long("a"), long("b"));
    expect(lines.length).toBe(6000);
    expect(lines[2999]!.sign + lines[3000]!.sign).toBe("-+");
  });
});
