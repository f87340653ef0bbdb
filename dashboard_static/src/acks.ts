/** Counts frames and says when the hub must hear of it: it stops sending to who stays silent. */

const ACK_FRAMES = 32;
/** A quarter of what the hub lets be on its way: it never has to wait for a page that keeps up. */
export const ACK_BYTES = 64 * 1024;
const ACK_MS = 500;

export class Acks {
  private received = 0;
  private told = 0;
  private bytes = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly tell: (frames: number) => void,
    private readonly hidden: () => boolean = () => false,
  ) {}

  /** Called once per frame, `welcome` being the first; of the text its length is near enough. */
  frame(bytes: number): void {
    this.received++;
    this.bytes += bytes;
    const many = this.received - this.told >= ACK_FRAMES || this.bytes >= ACK_BYTES;
    // A hidden tab's timers may sleep for a minute; at one frame a second telling at once is cheap.
    if (many || this.hidden()) this.flush();
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
    this.bytes = 0;
    this.tell(this.received);
  }
}
