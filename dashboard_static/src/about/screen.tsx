/** The worker's own figures, on one page. */

import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Elapsed } from "../ago";
import { exact, statusWord, unknown } from "../format";
import { t } from "../messages";
import type { Status } from "../protocol";
import type { About } from "./answers";
import { Clients } from "./clients";
import { delays, events, traffic, type Line } from "./figures";
import { troubles } from "./health";
import { failed, held, poll } from "./poll";
import { ThisTab } from "./this_tab";

export function AboutScreen() {
  useEffect(poll, []);
  const after = held.value.at(-1);
  return (
    <main class="about" data-testid="about">
      <div class="about-body">
        <h1>{t("About the hub")}</h1>
        {failed.value && (
          <p class="history-failure panel" role="alert" data-testid="failure">
            {failed.value} {after && t("What is shown is from before.")}
          </p>
        )}
        {after ? (
          <Worker before={held.value[0]!} after={after} />
        ) : (
          !failed.value && <p class="history-loading">{t("Loading…")}</p>
        )}
        <ThisTab />
        <Clients counts={after?.clients} worker={after?.worker} />
        {after && <Limits limits={after.limits} />}
      </div>
    </main>
  );
}

function Worker({ before, after }: { before: About; after: About }) {
  return (
    <>
      <Health />
      <Facts after={after} />
      <Lines
        name="delays"
        words={t("Delay")}
        note={t("half of all · 95 of 100 · 99 of 100 took at most")}
        lines={delays()}
        before={before}
        after={after}
      />
      <Lines name="traffic" words={t("Traffic")} lines={traffic()} before={before} after={after} />
      <Lines name="events" words={t("What happened")} lines={events()} before={before} after={after} />
    </>
  );
}

function Health() {
  const told = troubles(held.value);
  return (
    <section class="panel about-health" role="status" data-testid="health" data-well={told.length === 0}>
      <strong>{told.length === 0 ? t("Healthy") : t("Needs a look")}</strong>
      {told.length === 0
        ? t("It reads as fast as is written, and nothing was lost in the last minute.")
        : told.join(" ")}
    </section>
  );
}

function Facts({ after }: { after: About }) {
  const { sessions, clients, bus } = after;
  const lag = bus.lag_entries === null ? t("the log is away") : exact(bus.lag_entries);
  return (
    <dl class="panel about-facts" data-testid="worker">
      <Fact name="worker" words={t("Worker")}>
        <code>{after.worker}</code>
      </Fact>
      <Fact name="version" words={t("Version")}>
        {after.version ?? unknown()}
      </Fact>
      <Fact name="up" words={t("Running for")}>
        <Elapsed from={after.started_at} to={null} />
      </Fact>
      <Fact name="sessions" words={t("Sessions")}>
        {listed(sessions, (name) => statusWord(name as Status))}
      </Fact>
      <Fact name="clients" words={t("Browsers")}>
        {listed(clients, stateWord)}
      </Fact>
      <Fact name="watching" words={t("Watching, at all workers")}>
        {exact(after.watching)}
      </Fact>
      <Fact name="subscriptions" words={t("Sessions opened")}>
        {exact(after.subscriptions)}
      </Fact>
      <Fact name="lag" words={t("Entries of the log not read yet")}>
        {lag}
      </Fact>
    </dl>
  );
}

/** What there is none of is left out. */
function listed(counts: Record<string, number>, words: (name: string) => string): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return some.length > 0
    ? some.map(([name, count]) => `${exact(count)} ${words(name)}`).join(", ")
    : t("none");
}

export function stateWord(state: string): string {
  return { live: t("live"), behind: t("behind"), closing: t("closing") }[state] ?? state;
}

export function Fact({
  name,
  words,
  children,
}: {
  name: string;
  words: string;
  children: ComponentChildren;
}) {
  return (
    <div data-testid={`fact-${name}`}>
      <dt>{words}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface LinesProps {
  name: string;
  words: string;
  note?: string;
  lines: Line[];
  before: About;
  after: About;
}

function Lines({ name, words, note, lines, before, after }: LinesProps) {
  const seconds = Math.round((after.now - before.now) / 1000);
  return (
    <section class="panel" data-testid={`about-${name}`}>
      <table class="about-table">
        <caption class="hidden">{words}</caption>
        <thead>
          <tr>
            <th scope="col">
              <h2>{words}</h2>
              {note && <span class="about-meaning">{note}</span>}
            </th>
            <th scope="col">{seconds < 55 ? t("Last {seconds} s", { seconds }) : t("Last minute")}</th>
            <th scope="col">{t("Since start")}</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={line.name} data-row={line.name}>
              <th scope="row">
                {line.words}
                <span class="about-meaning">{line.meaning}</span>
              </th>
              <td>{line.between(before, after)}</td>
              <td>{line.between(null, after)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Limits({ limits }: { limits: About["limits"] }) {
  return (
    <details class="panel about-limits" data-testid="limits">
      <summary>{t("Limits")}</summary>
      <dl class="about-facts">
        {Object.entries(limits).map(([name, value]) => (
          <div key={name}>
            <dt>
              <code>{name}</code>
            </dt>
            <dd>{typeof value === "number" ? exact(value) : String(value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
