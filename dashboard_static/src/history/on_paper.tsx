/** Filters are chosen on the screen and read on paper: there they are words. */

import { useComputed } from "@preact/signals";
import { now } from "../clock";
import { dateTime, statusWord } from "../format";
import { t } from "../messages";
import type { Status } from "../protocol";
import type { Asked } from "./asked";

export function OnPaper({ asked }: { asked: Asked }) {
  const minute = useComputed(() => Math.floor(now.value / 60_000) * 60_000);
  return (
    <header class="on-paper" data-testid="on-paper">
      <strong>{t("Agent Tower: history")}</strong>
      <p>{askedWords(asked).join(" · ")}</p>
      <p>{t("Printed on {time}", { time: dateTime(minute.value) })}</p>
    </header>
  );
}

export function askedWords({
  q,
  status,
  agent,
  project,
  user,
  since,
  until,
  archived,
  sort,
}: Asked): string[] {
  const statuses = status?.split(",").map((each) => statusWord(each as Status) ?? each);
  const words = [
    q && t("Found by: {words}", { words: q }),
    statuses && t("Status: {statuses}", { statuses: statuses.join(", ") }),
    project && t("Project: {project}", { project }),
    agent && t("Agent: {agent}", { agent }),
    user && t("User: {user}", { user }),
    daysWords(since, until),
    archived === "true" && t("Archived too"),
    sort === "cost" ? t("Costliest first") : sort === "started" ? t("Newest first") : t("Latest first"),
  ];
  return words.filter((each): each is string => Boolean(each));
}

function daysWords(since: string | undefined, until: string | undefined): string {
  if (since && until) return t("From {since} to {until}", { since, until });
  if (since) return t("Since {since}", { since });
  return until ? t("Until {until}", { until }) : t("All days");
}
