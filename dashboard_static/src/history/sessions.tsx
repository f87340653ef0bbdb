import { useRef } from "preact/hooks";
import { toggleChosen } from "../chosen";
import { exact } from "../format";
import { useListKeys } from "../keys";
import { later, plural, t } from "../messages";
import { own } from "../own";
import { exportPath, isAskable, type Asked } from "./asked";
import { Failure } from "./failure";
import { busy, failed, listing, load, loadMore } from "./listing";
import { Loading } from "./loading";
import { SessionRow } from "./session_row";

const COLUMNS = [
  ["session", later("Session")],
  ["status", later("Status")],
  ["tokens", later("Tokens")],
  ["cost", later("Cost")],
  ["started", later("Started")],
  ["updated", later("Updated")],
  ["report", later("Report")],
  ["pick", later("Compare")],
] as const;
/** They say themselves what they are. */
const UNNAMED: readonly string[] = ["report", "pick"];

/** The list that was asked for. Old rows stay, marked, until the new ones are here. */
export function Sessions({ asked, question }: { asked: Asked; question: string }) {
  const list = useRef<HTMLElement>(null);
  useListKeys((key) => move(key, list.current!));
  const { query, rows, next } = listing.value;
  const failure = failed.value;
  const current = query === question && busy.value !== "list" && failure?.part !== "list";
  const again = () => void (failure?.part === "more" ? loadMore() : load(question));
  return (
    <section
      ref={list}
      class="panel"
      aria-label={t("Sessions")}
      aria-busy={!current}
      data-testid="history-sessions"
    >
      <header class="panel-head">
        <h2>{t("Sessions")}</h2>
        <p class="history-total" role="status" data-testid="total">
          {query !== null && totalWords()}
        </p>
        {busy.value === "list" && <Loading />}
        <Exports asked={asked} />
      </header>
      {failure?.part === "list" && <Failure words={failure.words} retry={again} />}
      <div class="history-rows" data-stale={!current}>
        {rows.length > 0 ? <Table /> : query !== null && <NothingFound all={query === ""} />}
      </div>
      {failure?.part === "more" && <Failure words={failure.words} retry={again} />}
      {next !== null && <More list={list} disabled={!current} />}
    </section>
  );
}

function totalWords(): string {
  const { rows, total } = listing.value;
  const count = exact(total);
  if (rows.length < total) return t("{count} sessions, {shown} shown", { count, shown: exact(rows.length) });
  return plural(total, "1 session", "{count} sessions", { count });
}

function NothingFound({ all }: { all: boolean }) {
  return (
    <p class="empty" data-testid="nothing">
      {all
        ? t("No session was recorded yet.")
        : t("No session matches. Fewer filters or other words may find it.")}
    </p>
  );
}

function Exports({ asked }: { asked: Asked }) {
  return (
    <span class="panel-aside" role="group" aria-label={t("Export what is listed")}>
      <span class="history-export">{t("Export")}</span>
      {["csv", "json", "html"].map((format) => (
        <a
          key={format}
          class="ghost"
          href={exportPath(asked, format)}
          download=""
          data-testid={`export-${format}`}
        >
          {format === "html" ? t("Report") : format.toUpperCase()}
        </a>
      ))}
    </span>
  );
}

function Table() {
  const { rows, hits } = listing.value;
  return (
    <table class="table history-table">
      <caption class="hidden">{t("Past and live sessions")}</caption>
      <thead>
        <tr>
          {COLUMNS.map(([name, words]) => (
            <th key={name} scope="col" data-column={name}>
              {UNNAMED.includes(name) ? <span class="hidden">{t(words)}</span> : t(words)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((each) => (
          <SessionRow key={each.id} listed={each} hit={own(hits, each.id)} />
        ))}
      </tbody>
    </table>
  );
}

function More({ list, disabled }: { list: { current: HTMLElement | null }; disabled: boolean }) {
  const loading = busy.value === "more";
  const more = async () => {
    const before = listing.peek().rows.length;
    await loadMore();
    // The button may be gone, and the focus with it: it goes on with the first row that is new.
    if (listing.peek().next === null) requestAnimationFrame(() => titles(list.current!)[before]?.focus());
  };
  return (
    <p class="history-more">
      <button
        type="button"
        class="ghost"
        disabled={disabled}
        aria-busy={loading}
        data-testid="more"
        onClick={more}
      >
        {loading ? t("Loading…") : t("Load more")}
      </button>
    </p>
  );
}

const titles = (list: HTMLElement) => [...list.querySelectorAll<HTMLElement>("a.title")];

/** The focus itself moves from row to row, so that Enter opens what has it. */
function move(key: string, list: HTMLElement): boolean {
  const all = titles(list);
  const at = all.indexOf(document.activeElement as HTMLElement);
  if (key === "x") return pick(document.activeElement?.closest<HTMLElement>("[data-session]"));
  const steps: Record<string, number> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    Home: 0,
    First: 0,
    End: all.length - 1,
  };
  const to = steps[key];
  if (to === undefined || all.length === 0) return false;
  all[Math.min(Math.max(to, 0), all.length - 1)]!.focus();
  return true;
}

function pick(row: HTMLElement | null | undefined): boolean {
  const id = row?.dataset.session;
  if (!id || !isAskable(id)) return false;
  toggleChosen(id, row.querySelector("a.title")?.textContent ?? undefined);
  return true;
}
