import { describe, expect, it } from "vitest";
import { linger } from "../src/attention/linger";
import { emptyModel, receive } from "../src/store";
import { item } from "./frames";

const a = item("a", { opened_at: 1 });
const b = item("b", { opened_at: 2 });
const c = item("c", { opened_at: 3 });

describe("an item that closes under the hand", () => {
  it("stays where it was, with how it ended, until the hand is gone", () => {
    const before = linger([], [a, b], true, new Map());
    const held = linger(before, [b, c], true, new Map([["a", "allowed"]]));
    expect(held).toEqual([{ item: a, outcome: "allowed" }, { item: b }, { item: c }]);
    expect(linger(held, [b, c], true, new Map())[0]).toEqual({ item: a, outcome: "allowed" });
    expect(linger(held, [b, c], false, new Map())).toEqual([{ item: b }, { item: c }]);
  });

  it("is open again when it is asked again", () => {
    const gone = linger([{ item: a }], [], true, new Map());
    expect(gone).toEqual([{ item: a, outcome: null }]);
    expect(linger(gone, [a], true, new Map())).toEqual([{ item: a }]);
  });

  it("has its outcome by the frame that closed it, of which the latest are kept", () => {
    const model = emptyModel();
    for (let at = 0; at < 100; at++)
      receive(model, { type: "attention", cursor: `t${at}`, open: [], closed: [{ id: `${at}`, outcome: "denied" }] });
    const { outcomes } = model.attention;
    expect([outcomes.size, outcomes.get("99"), outcomes.get("1")]).toEqual([64, "denied", undefined]);
    receive(model, { type: "attention", cursor: "u", open: [item("99")], closed: [] });
    expect(outcomes.has("99")).toBe(false);
  });
});
