import { afterEach, describe, expect, it } from "vitest";
import { languageOf, plural, rich, t, use } from "../src/messages";

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
});
