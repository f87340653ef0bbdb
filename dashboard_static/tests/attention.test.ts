import { describe, expect, it } from "vitest";
import { emptyModel, receive } from "../src/store";
import { inbox } from "../src/store/attention";
import type { FrameOf, Item } from "../src/protocol";
import { item } from "./frames";

function full(
  cursor: string,
  open: Item[],
  change: Partial<FrameOf<"attention">> = {},
): FrameOf<"attention"> {
  return { type: "attention", cursor, full: true, part: 1, parts: 1, open, closed: [], ...change };
}

describe("attention", () => {
  it("replaces the set when full and upserts when not", () => {
    const model = emptyModel();
    receive(model, full("t1", [item("1"), item("2")]));
    receive(model, {
      type: "attention",
      cursor: "t2",
      open: [item("3"), item("2", { summary: "new" })],
      closed: [{ id: "1", outcome: "allowed" }],
    });
    expect([...model.attention.items.keys()].sort()).toEqual(["2", "3"]);
    expect(model.attention.items.get("2")?.summary).toBe("new");
    receive(model, full("t3", []));
    expect(model.attention.items.size).toBe(0);
  });

  it("changes nothing when the same frame comes twice", () => {
    const model = emptyModel();
    receive(model, full("t1", [item("1")]));
    const frame: FrameOf<"attention"> = {
      type: "attention",
      cursor: "t2",
      open: [item("2")],
      closed: [{ id: "1" }],
    };
    receive(model, frame);
    const once = inbox(model.attention);
    receive(model, frame);
    expect(inbox(model.attention)).toEqual(once);
  });

  it("lists the oldest first", () => {
    const model = emptyModel();
    receive(
      model,
      full("t1", [
        item("new", { opened_at: 30 }),
        item("old", { opened_at: 10 }),
        item("mid", { opened_at: 20 }),
      ]),
    );
    expect(inbox(model.attention).map((each) => each.id)).toEqual(["old", "mid", "new"]);
  });

  it("keeps what closes between the parts of a full set closed", () => {
    const model = emptyModel();
    receive(model, full("t1", [item("1")], { parts: 2 }));
    receive(model, { type: "attention", cursor: "t2", open: [item("9")], closed: [{ id: "2" }] });
    expect(model.attention.items.has("9")).toBe(true);
    receive(model, full("t1", [item("2")], { part: 2, parts: 2 }));
    expect([...model.attention.items.keys()].sort()).toEqual(["1", "9"]);
    expect(model.attention.cursor).toBe("t2");
  });

  it("finds a loss by the heartbeat", () => {
    const model = emptyModel();
    receive(model, full("t1", []));
    const outcome = receive(model, { type: "heartbeat", id: 1, now: 1, attention: "t4" });
    expect(outcome.requests).toEqual([{ type: "resync", scope: "attention", reason: "heartbeat" }]);
  });
});
