import { describe, expect, it } from "vitest";
import { Slots } from "../src/slots";

/** What each element shows, in the order of the document. */
const shown = (slots: Slots, ids: string[], stays = false) =>
  slots.place(ids, stays).map(({ slot, at }) => [slot, ids[at]]);

describe("slots", () => {
  it("keeps the element of an entry that stays, wherever it moves", () => {
    const slots = new Slots();
    expect(shown(slots, ["a", "b", "c"])).toEqual([[0, "a"], [1, "b"], [2, "c"]]);
    expect(shown(slots, ["c", "a", "b"])).toEqual([[2, "c"], [0, "a"], [1, "b"]]);
  });

  it("gives an entry that comes the element of one that leaves", () => {
    const slots = new Slots();
    shown(slots, ["a", "b", "c"]);
    expect(shown(slots, ["b", "c", "d"])).toEqual([[1, "b"], [2, "c"], [0, "d"]]);
  });

  it("leaves the elements where they stand while they are to stay, and puts them in order then", () => {
    const slots = new Slots();
    shown(slots, ["a", "b", "c"]);
    expect(shown(slots, ["b", "c", "d"], true)).toEqual([[0, "d"], [1, "b"], [2, "c"]]);
    expect(shown(slots, ["c", "d", "e"], true)).toEqual([[0, "d"], [1, "e"], [2, "c"]]);
    expect(shown(slots, ["c", "d", "e"])).toEqual([[2, "c"], [0, "d"], [1, "e"]]);
  });

  it("makes an element where none is free, and lets go of what nobody needs", () => {
    const slots = new Slots();
    shown(slots, ["a"]);
    expect(shown(slots, ["a", "b", "c"], true)).toEqual([[0, "a"], [1, "b"], [2, "c"]]);
    expect(shown(slots, ["c"], true)).toEqual([[2, "c"]]);
    expect(shown(slots, ["c", "d"], true)).toEqual([[2, "c"], [3, "d"]]);
  });

  it("is empty with nothing to show", () => {
    const slots = new Slots();
    shown(slots, ["a"]);
    expect(shown(slots, [], true)).toEqual([]);
  });
});
