import { describe, expect, it } from "vitest";
import { emptyModel, receive } from "../src/store";
import { overview, summary, totals } from "./frames";

function started() {
  const model = emptyModel();
  receive(model, overview("o1", [summary("a"), summary("b")]));
  return model;
}

describe("overview", () => {
  it("replaces the rows by a snapshot", () => {
    const model = started();
    const outcome = receive(model, overview("o2", [summary("c")]));
    expect([...model.overview.rows.keys()]).toEqual(["c"]);
    expect(outcome.allRows).toBe(true);
    expect(model.overview.cursor).toBe("o2");
  });

  it("keeps absent fields and takes null as cleared", () => {
    const model = started();
    receive(model, {
      type: "overview.patch",
      from: "o1",
      cursor: "o2",
      set: [{ id: "a", title: null, messages: 3 }],
    });
    expect(model.overview.rows.get("a")).toMatchObject({ title: null, messages: 3, project: "ledger" });
  });

  it("makes a new object only for a row that changed", () => {
    const model = started();
    const b = model.overview.rows.get("b");
    receive(model, { type: "overview.patch", from: "o1", cursor: "o2", set: [{ id: "a", messages: 3 }] });
    expect(model.overview.rows.get("b")).toBe(b);
  });

  it("takes new rows in and lets gone ones go", () => {
    const model = started();
    const outcome = receive(model, {
      type: "overview.patch",
      from: "o1",
      cursor: "o2",
      set: [summary("c")],
      gone: ["a", "never"],
    });
    expect([...model.overview.rows.keys()].sort()).toEqual(["b", "c"]);
    expect([...outcome.rows].sort()).toEqual(["a", "c"]);
  });

  it("names the row that changed", () => {
    const model = started();
    const outcome = receive(model, {
      type: "overview.patch",
      from: "o1",
      cursor: "o2",
      set: [{ id: "a", updated_at: 9, tool_calls: 4 }],
    });
    expect([...outcome.rows]).toEqual(["a"]);
  });

  it("asks for a resync at a wrong `from`, once, and applies nothing until the snapshot", () => {
    const model = started();
    const first = receive(model, {
      type: "overview.patch",
      from: "o7",
      cursor: "o8",
      set: [{ id: "a", title: "x" }],
    });
    expect(first.requests).toEqual([{ type: "resync", scope: "overview", reason: "gap" }]);
    const second = receive(model, {
      type: "overview.patch",
      from: "o8",
      cursor: "o9",
      set: [{ id: "a", title: "y" }],
    });
    expect(second.requests).toEqual([]);
    expect(model.overview.rows.get("a")?.title).toBe("Session a");
    expect(model.overview.current).toBe(false);
    receive(model, overview("o10", [summary("a")]));
    expect(model.overview.current).toBe(true);
  });

  it("shows nothing of a snapshot before its last part", () => {
    const model = started();
    receive(model, overview("o2", [summary("c")], { parts: 2, totals: undefined }));
    expect(model.overview.rows.has("c")).toBe(false);
    receive(model, overview("o2", [summary("d")], { part: 2, parts: 2, totals: totals(2) }));
    expect([...model.overview.rows.keys()]).toEqual(["c", "d"]);
    expect(model.overview.totals?.sessions).toBe(2);
  });

  it("asks again when a part is missing", () => {
    const model = started();
    receive(model, overview("o2", [summary("c")], { parts: 3 }));
    const outcome = receive(model, overview("o2", [summary("d")], { part: 3, parts: 3 }));
    expect(outcome.requests).toEqual([{ type: "resync", scope: "overview", reason: "parts" }]);
    expect([...model.overview.rows.keys()]).toEqual(["a", "b"]);
  });

  it("begins anew when another snapshot starts between the parts", () => {
    const model = started();
    receive(model, overview("o2", [summary("c")], { parts: 2 }));
    receive(model, overview("o3", [summary("e")]));
    expect([...model.overview.rows.keys()]).toEqual(["e"]);
  });

  it("finds a loss by the heartbeat", () => {
    const model = started();
    expect(receive(model, { type: "heartbeat", id: 1, now: 1, overview: "o1" }).requests).toEqual([]);
    const outcome = receive(model, { type: "heartbeat", id: 2, now: 1, overview: "o5" });
    expect(outcome.requests).toEqual([{ type: "resync", scope: "overview", reason: "heartbeat" }]);
  });

  it("ignores frames it does not know", () => {
    const model = started();
    const outcome = receive(model, { type: "weather", cursor: "o9" } as never);
    expect(outcome.requests).toEqual([]);
    expect(model.overview.cursor).toBe("o1");
  });
});
