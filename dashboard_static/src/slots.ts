/**
 * Which element of a long list shows which entry. An entry that leaves gives its element to one that
 * comes, so that scrolling makes none; an entry that stays keeps its own. Knows no document.
 */

export interface Placed {
  /** The element's key. */
  slot: number;
  /** Which of the entries it shows. */
  at: number;
}

export class Slots {
  private held = new Map<string, number>();
  private order: number[] = [];
  private made = 0;

  /**
   * The elements in the order in which they are to stand in the document: that of the entries, or
   * with `stays` the one they have, where a move would cost as much as a new element.
   */
  place(ids: readonly string[], stays: boolean): Placed[] {
    const held = this.held;
    const left = new Map(held);
    for (const id of ids) left.delete(id);
    const free = [...left.values()];
    const slots = ids.map((id) => held.get(id) ?? free.pop() ?? this.made++);
    this.held = new Map(ids.map((id, at) => [id, slots[at]!]));
    const shown = new Map(slots.map((slot, at) => [slot, at]));
    this.order = stays ? [...new Set([...this.order.filter((slot) => shown.has(slot)), ...slots])] : slots;
    return this.order.map((slot) => ({ slot, at: shown.get(slot)! }));
  }
}
