import { describe, expect, it } from "vitest";
import type { Sort, Status, Summary } from "../src/protocol";
import { ORDERS, reorder, sorted } from "../src/store/order";
import { summary } from "./frames";

const rows = (...all: Summary[]) => new Map(all.map((row) => [row.id, row]));

describe("order", () => {
  it("is open attention, then status, then the latest start, then id", () => {
    const all = rows(
      summary("ended", { status: "ended" }),
      summary("idle", { status: "idle" }),
      summary("stale", { status: "stale" }),
      summary("run-old", { status: "running", started_at: 1 }),
      summary("run-new", { status: "running", started_at: 9 }),
      summary("failed", { status: "failed" }),
      summary("waiting", { status: "waiting" }),
      summary("asks-a", { status: "ended", attention: 1 }),
      summary("asks-b", { status: "ended", attention: 2 }),
      summary("asks-waiting", { status: "waiting", attention: 1 }),
      summary("same-b", { status: "running", started_at: 9 }),
    );
    expect(sorted(all)).toEqual([
      "asks-waiting",
      "asks-a",
      "asks-b",
      "waiting",
      "failed",
      "run-new",
      "same-b",
      "run-old",
      "stale",
      "idle",
      "ended",
    ]);
  });

  it("puts an unknown start last", () => {
    expect(sorted(rows(summary("a", { started_at: null }), summary("b", { started_at: 5 })))).toEqual([
      "b",
      "a",
    ]);
  });

  it.each<[Sort, string[]]>([
    ["updated", ["c", "a", "b", "d"]],
    ["cost", ["b", "a", "c", "d"]],
    ["started", ["a", "c", "b", "d"]],
  ])("by %s has the most first, the unknown last, and equals by id", (by, ids) => {
    const all = rows(
      summary("d", { started_at: null, updated_at: null, cost_usd: null }),
      summary("c", { started_at: 5, updated_at: 9, cost_usd: 0.5 }),
      summary("b", { started_at: 1, updated_at: 3, cost_usd: 2 }),
      summary("a", { started_at: 5, updated_at: 3, cost_usd: 0.5 }),
    );
    expect(sorted(all, ORDERS[by])).toEqual(ids);
  });

  it.each<Sort>(["default", "updated", "cost"])("by parts is the same as sorting all (%s)", (by) => {
    const statuses: Status[] = ["waiting", "failed", "running", "stale", "idle", "ended"];
    let seed = 7;
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const change = () => ({
      status: statuses[random(6)]!,
      attention: random(9) === 0 ? 1 : 0,
      started_at: random(50),
      updated_at: random(50),
      cost_usd: random(9),
    });
    const all = rows(...Array.from({ length: 200 }, (_, at) => summary(`s${at}`, change())));
    let order = sorted(all, ORDERS[by]);
    for (let round = 0; round < 50; round++) {
      const moved = new Set<string>();
      for (let each = 0; each < 9; each++) {
        const id = `s${random(240)}`;
        if (random(5) === 0) all.delete(id);
        else all.set(id, summary(id, change()));
        moved.add(id);
      }
      order = reorder(order, all, moved, ORDERS[by]);
      expect(order).toEqual(sorted(all, ORDERS[by]));
    }
  });
});
