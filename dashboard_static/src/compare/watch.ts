/**
 * Asks for a comparison, and again when one of its sessions has changed: at most every five
 * seconds, and never behind a hidden tab. Its answers go to whoever made it.
 */

import { effect } from "@preact/signals";
import type { Answer } from "../api";
import { Question } from "../question";
import { row } from "../live";
import type { Compared } from "./answer";

export const EVERY_MS = 5000;

export interface Asked {
  ids: readonly string[];
  answered: (answer: Answer<{ sessions: Compared[] }>) => void;
  /** Of the sessions that the board does not tell of, whether one may be changing. */
  unseen: () => boolean;
}

export class Watch {
  private readonly question = new Question();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private changed = true;
  private readonly unfollow: () => void;

  constructor(private readonly asked: Asked) {
    this.unfollow = effect(() => {
      for (const id of asked.ids) row(id).value;
      this.changed = true;
    });
    void this.ask();
  }

  stop(): void {
    this.unfollow();
    this.question.stop();
    clearTimeout(this.timer);
  }

  /** Does not wait for its turn. */
  async ask(): Promise<void> {
    clearTimeout(this.timer);
    this.changed = false;
    const ids = this.asked.ids.join(",");
    const answers = await this.question.ask([`api/compare?${new URLSearchParams({ ids })}`]);
    if (!answers) return;
    this.asked.answered(answers[0] as Answer<{ sessions: Compared[] }>);
    this.wait();
  }

  private wait(): void {
    this.timer = setTimeout(() => {
      const due = !document.hidden && (this.changed || this.asked.unseen());
      if (due) void this.ask();
      else this.wait();
    }, EVERY_MS);
  }
}
