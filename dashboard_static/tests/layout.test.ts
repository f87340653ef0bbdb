import { beforeEach, describe, expect, it } from "vitest";
import { grouping, sort } from "../src/board/choices";
import { figures, filter, isStirred, layout, settle, stir, stirAll, sumUp, unreadCount } from "../src/board/layout";
import { noFilter } from "../src/board/filter";
import type { Summary } from "../src/protocol";
import { seen } from "../src/unread";
import { summary } from "./frames";

let rows: Map<string, Summary>;

function change(id: string, values: Partial<Summary>): void {
  rows.set(id, { ...rows.get(id)!, ...values });
  stir([id], rows);
}

describe("the list on the screen", () => {
  beforeEach(() => {
    sort.value = "default";
    grouping.value = "none";
    filter.value = noFilter;
    seen.value = { since: 0, sessions: [] };
    rows = new Map(["a", "b", "c"].map((id, at) => [id, summary(id, { started_at: 9 - at })]));
    stirAll();
    settle(rows);
  });

  it("is moved by attention, status and start, and by nothing that is mere activity", () => {
    change("c", { updated_at: 5000, tool_calls: 9, current_tool: "Bash", cost_usd: 4, title: "x" });
    expect(isStirred()).toBe(false);
    change("c", { status: "running" });
    expect(isStirred()).toBe(true);
    settle(rows);
    expect(layout.value.entries).toEqual(["c", "a", "b"]);
    change("b", { attention: 1 });
    change("a", { started_at: 1 });
    settle(rows);
    expect(layout.value.entries).toEqual(["b", "c", "a"]);
  });

  it("by the latest update is moved by work", () => {
    sort.value = "updated";
    stirAll();
    settle(rows);
    change("c", { updated_at: 5000 });
    settle(rows);
    expect(layout.value.entries).toEqual(["c", "a", "b"]);
  });

  it("takes in what matches now and drops what does not any more, or is gone", () => {
    filter.value = { ...noFilter, text: "mill" };
    stirAll();
    settle(rows);
    expect(layout.value.entries).toEqual([]);
    change("b", { title: "The mill" });
    settle(rows);
    expect(layout.value.entries).toEqual(["b"]);
    rows.delete("b");
    stir(["b"], rows);
    settle(rows);
    expect(layout.value.entries).toEqual([]);
  });

  it("is the same object where nothing moved, so that nothing is drawn", () => {
    const before = layout.value;
    change("a", { status_since: 7 });
    settle(rows);
    expect(layout.value).toBe(before);
  });

  it("sums groups up that did not move", () => {
    grouping.value = "project";
    stirAll();
    settle(rows);
    change("a", { cost_usd: 3, cost_state: "priced" });
    expect(isStirred()).toBe(false);
    sumUp(rows);
    expect(figures.value.get("project:ledger")).toMatchObject({ sessions: 3, cost_usd: 3 });
  });

  it("counts what is unread", () => {
    seen.value = { since: 2000, sessions: [] };
    change("a", { status: "failed", status_since: 3000 });
    settle(rows);
    expect(unreadCount.value).toBe(1);
  });
});
