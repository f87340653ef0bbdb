/** The sessions that stand side by side, as they are now: the answer, and the board's rows over it. */

import { useComputed, useSignal, type ReadonlySignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Answer } from "../api";
import { row } from "../live";
import type { Compared } from "./answer";
import { Watch } from "./watch";

interface Comparison {
  /** Those of them that are known yet, in the order of the address. */
  sessions: ReadonlySignal<Compared[]>;
  failed: ReadonlySignal<string>;
  again(): void;
}

const AT_WORK = ["running", "waiting"];
/** The last answer: whoever takes one session away does not wait for the others. */
let known = new Map<string, Compared>();

export function useComparison(ids: readonly string[]): Comparison {
  const answers = useSignal(0);
  const failed = useSignal("");
  const watch = useRef<Watch | null>(null);
  const key = ids.join("\n");
  useEffect(() => {
    failed.value = "";
    if (ids.length < 2) return;
    const answered = ({ body, words }: Answer<{ sessions: Compared[] }>) => {
      failed.value = words;
      if (body) known = new Map(body.sessions.map((session) => [session.id, session]));
      answers.value++;
    };
    const unseen = () => ids.some((id) => !row(id).peek() && AT_WORK.includes(known.get(id)?.status ?? ""));
    const mine = (watch.current = new Watch({ ids, answered, unseen }));
    return () => mine.stop();
  }, [key]);
  const wanted = useSignal(ids);
  if (wanted.peek().join("\n") !== key) wanted.value = ids;
  const sessions = useComputed(() => {
    answers.value;
    return wanted.value.flatMap((id) => {
      const told = known.get(id);
      return told ? [{ ...told, ...row(id).value }] : [];
    });
  });
  return { sessions, failed, again: () => void watch.current?.ask() };
}
