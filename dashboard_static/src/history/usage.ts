/** What was spent in the days that are asked for, by all that the screen shows of it. */

import { signal } from "@preact/signals";
import type { Spent, ToolCalls, Usage } from "./answers";
import { usagePath, type Asked } from "./asked";
import { Question } from "../question";

const KINDS = ["day", "model", "project", "tool", "agent"] as const;

export interface AllUsage {
  day: Usage<Spent>;
  model: Usage<Spent>;
  project: Usage<Spent>;
  agent: Usage<Spent>;
  tool: Usage<ToolCalls>;
}

export const usage = signal<AllUsage | null>(null);
export const usageBusy = signal(false);
export const usageFailed = signal("");

const question = new Question();

/** All of it is shown at once: tables of different days beside each other would not add up. */
export async function loadUsage(asked: Asked): Promise<void> {
  usageBusy.value = true;
  const answers = await question.ask(KINDS.map((by) => usagePath(by, asked)));
  if (!answers) return;
  usageBusy.value = false;
  usageFailed.value = answers.find(({ body }) => !body)?.words ?? "";
  if (usageFailed.value) return;
  usage.value = Object.fromEntries(KINDS.map((by, at) => [by, answers[at]!.body])) as unknown as AllUsage;
}

export function stopUsage(): void {
  question.stop();
  usageBusy.value = false;
}
