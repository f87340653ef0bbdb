import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { single } from "../media";
import { t } from "../messages";
import { askedOf, queryOf } from "./asked";
import { Filters } from "./filters";
import { listing, load, stop } from "./listing";
import { OnPaper } from "./on_paper";
import { Sessions } from "./sessions";
import { loadUsage, stopUsage } from "./usage";
import { UsagePanel } from "./usage_panel";

/** Where one was in the list, for whoever comes back to it from a session. */
let left = { query: "", top: 0 };

export function HistoryScreen({ query }: { query: string }) {
  const asked = askedOf(query);
  const question = queryOf(asked);
  const { since, until } = asked;
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => void load(question), [question]);
  useEffect(() => void loadUsage({ since, until }), [since, until]);
  useEffect(
    () => () => {
      stop();
      stopUsage();
    },
    [],
  );
  useLayoutEffect(() => {
    const element = body.current!;
    element.scrollTop = left.query === question && listing.peek().query === question ? left.top : 0;
    const scrolled = () => {
      left = { query: question, top: element.scrollTop };
    };
    element.addEventListener("scroll", scrolled, { passive: true });
    return () => element.removeEventListener("scroll", scrolled);
  }, [question]);
  return (
    <main class="history">
      <h1 class="hidden">{t("History")}</h1>
      <div ref={body} class="history-body">
        <OnPaper asked={asked} />
        <Filters asked={asked} />
        <div class="history-columns">
          <Sessions asked={asked} question={question} />
          <UsagePanel asked={asked} open={!single.value} />
        </div>
      </div>
    </main>
  );
}
