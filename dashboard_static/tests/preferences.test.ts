import { beforeEach, describe, expect, it, vi } from "vitest";
import { oneOf, preference, yesOrNo } from "../src/preferences";

const kept = new Map<string, string>();

beforeEach(() => {
  kept.clear();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => kept.set(key, text),
  });
});

describe("a preference", () => {
  it("is kept when it changes, and read again", () => {
    preference("p1", "a", oneOf("a", "b")).value = "b";
    expect(preference("p1", "a", oneOf("a", "b")).value).toBe("b");
  });

  it("may be false or empty", () => {
    preference("p2", true, yesOrNo).value = false;
    expect(preference("p2", true, yesOrNo).value).toBe(false);
  });

  it("falls back where what is kept makes no sense", () => {
    for (const text of ['"c"', "{", "null"]) {
      kept.set("tower.p3", text);
      expect(preference("p3", "a", oneOf("a", "b")).value).toBe("a");
    }
  });

  it("lasts as long as the page where the browser keeps nothing", () => {
    vi.stubGlobal("localStorage", {
      getItem: () => {
        throw new Error("refused");
      },
    });
    const held = preference("p4", "a", oneOf("a", "b"));
    held.value = "b";
    expect(held.value).toBe("b");
  });
});
