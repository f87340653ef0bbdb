/** Counts frames and says when the hub must hear of it: it stops sending to who stays silent. */

export const ACK_FRAMES = 32;
export const ACK_MS = 500;

export class Acks {
  private received = 0;
  private told = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly tell: (frames: number) => void,
    private readonly hidden: () => boolean = () => false,
  ) {}

  /** Called once per frame, `welcome` being the first. */
  frame(): void {
    this.received++;
    // A hidden tab's timers may sleep for a minute; at one frame a second telling at once is cheap.
    if (this.received - this.told >= ACK_FRAMES || this.hidden()) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), ACK_MS);
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private flush(): void {
    this.stop();
    if (this.received === this.told) return;
    this.told = this.received;
    this.tell(this.received);
  }
}
