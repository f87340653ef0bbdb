/** What this tab's connection has brought: counted as it comes, for whoever wants to look at it. */

export const received = { connection: "", worker: "", frames: 0, chars: 0, acked: 0 };

/** Another connection begins. */
export function nothingReceived(): void {
  Object.assign(received, { connection: "", worker: "", frames: 0, chars: 0, acked: 0 });
}
