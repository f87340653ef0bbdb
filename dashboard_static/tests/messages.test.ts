import { afterEach, describe, expect, it, vi } from "vitest";
import { language, languageOf, plural, rich, speak, t, use } from "../src/messages";

afterEach(() => use("en", {}));

describe("words", () => {
  it("are English where nobody has translated them", () => {
    use("zh", { Board: "看板" });
    expect([t("Board"), t("History")]).toEqual(["看板", "History"]);
  });

  it("take values by name, and a value is never a pattern", () => {
    expect(t("{a} of {b}", { a: "{b}", b: 2 })).toBe("{b} of 2");
  });

  it("follow the number by the plural rules of the language", () => {
    expect([1, 2].map((count) => plural(count, "{count} session", "{count} sessions"))).toEqual([
      "1 session",
      "2 sessions",
    ]);
    use("zh", { "{count} sessions": { other: "{count} 个会话" } });
    expect(plural(1, "{count} session", "{count} sessions")).toBe("1 个会话");
  });

  it("leave room for elements, wherever a translation puts them", () => {
    use("zh", { "{command} prints it.": "由 {command} 打印。" });
    expect(rich("{command} prints it.", { command: "X" })).toEqual(["由 ", "X", " 打印。"]);
  });
});

describe("the language", () => {
  it("is the chosen one, else the first of the browser's that is here, else English", () => {
    expect(languageOf("zh", ["en"])).toBe("zh");
    expect(languageOf("", ["xx", "zh-TW", "en"])).toBe("zh");
    expect(languageOf("", ["xx"])).toBe("en");
  });

  it("is the one that was chosen last, whichever words come first", async () => {
    let come = (_: unknown) => {};
    vi.stubGlobal("fetch", () => new Promise((resolve) => (come = resolve)));
    const slow = speak("zh");
    await speak("en");
    come({ json: () => Promise.resolve({ Board: "看板" }) });
    await slow;
    vi.unstubAllGlobals();
    expect([language.peek(), t("Board")]).toEqual(["en", "Board"]);
  });
});

const sources = Object.values(
  import.meta.glob<string>("../src/**/*.{ts,tsx}", { query: "?raw", import: "default", eager: true }),
);
const catalogues = import.meta.glob<Record<string, string | Record<string, string>>>("../src/languages/*.json", {
  import: "default",
  eager: true,
});

/** Every English text that the sources ask a translation for. */
function asked(): string[] {
  const text = sources.join("\n");
  const literal = String.raw`"((?:[^"\\]|\\.)*)"`;
  const calls = [
    new RegExp(String.raw`\b(?:t|rich|later)\(\s*${literal}`, "g"),
    new RegExp(String.raw`\bplural\(\s*[^"]+,\s*"(?:[^"\\]|\\.)*",\s*${literal}`, "g"),
  ];
  const found = calls.flatMap((call) => [...text.matchAll(call)].map((each) => JSON.parse(`"${each[1]}"`) as string));
  return [...new Set(found)].sort();
}

const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([hole]) => hole).sort();

describe.each(Object.entries(catalogues))("%s", (_, words) => {
  it("has words for everything that is said, and for nothing else", () => {
    expect(Object.keys(words).sort()).toEqual(asked());
  });

  it("keeps the places of values", () => {
    for (const [english, told] of Object.entries(words)) {
      const forms = typeof told === "string" ? [told] : Object.values(told);
      for (const form of forms) expect([english, holes(form)]).toEqual([english, holes(english)]);
    }
  });
});
