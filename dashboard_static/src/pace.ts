/** Work that is done at once after a rest, and no more than every so often while there is much of it. */

export class Pace {
  private due = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;

  /** `again` is called when it is time for what had to wait. */
  constructor(private readonly again: () => void) {}

  /** Whether it may be done now. */
  ready(now: number): boolean {
    if (now >= this.due) return true;
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.again();
    }, this.due - now);
    return false;
  }

  rest(until: number): void {
    this.due = until;
  }

  /** Not before then, whatever was said. */
  hold(until: number): void {
    this.due = Math.max(this.due, until);
  }
}
