/** One question at a time: a new one takes the place of the last, whose answers nobody hears any more. */

import { get, type Answer } from "./api";

export class Question {
  private running: AbortController | null = null;

  /** The answers to all paths, or null where something else was asked meanwhile. */
  async ask(paths: string[]): Promise<Answer<unknown>[] | null> {
    this.stop();
    const mine = (this.running = new AbortController());
    const answers = await Promise.all(paths.map((path) => get<unknown>(path, {}, mine.signal)));
    return mine.signal.aborted ? null : answers;
  }

  stop(): void {
    this.running?.abort();
  }
}
