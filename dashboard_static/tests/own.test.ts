import { describe, expect, it } from "vitest";
import { objectiveWord } from "../src/format";
import { own } from "../src/own";
import { flatten } from "../src/session/branches";
import { sourceWord } from "../src/session/source_words";
import { emptyModel, open, receive } from "../src/store";

describe("a name that every object has", () => {
  it("is a map's own only where it was told", () => {
    expect(own({}, "constructor")).toBeUndefined();
    expect(own(JSON.parse('{"__proto__": 3}') as Record<string, number>, "__proto__")).toBe(3);
  });

  it("is a word of an agent like any other", () => {
    expect([objectiveWord("constructor"), sourceWord("toString")]).toEqual(["constructor", "toString"]);
  });

  it("is a parent that is not known", () => {
    const agent = { parent: "constructor", type: null, status: null, tokens: null, cost_usd: null };
    expect(flatten({ a: agent as never }).map(({ depth }) => depth)).toEqual([0]);
  });

  it("is a session that the heartbeat does not tell of", () => {
    const model = emptyModel();
    open(model, "constructor");
    receive(model, {
      type: "session.snapshot",
      session: "constructor",
      part: 1,
      parts: 1,
      cursor: "e:1",
      live: true,
      detail: {},
      timeline: [],
    } as never);
    const { requests } = receive(model, { type: "heartbeat", id: 1, now: 1, sessions: {} });
    expect(requests).toEqual([{ type: "subscribe", session: "constructor", activate: false }]);
  });
});
