import { useSignal, type ReadonlySignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Ago, Elapsed } from "../ago";
import { nameOf, safeHref } from "../format";
import { isOperator } from "../hub";
import { Icon } from "../icons";
import { t } from "../messages";
import type { Summary } from "../protocol";
import { StatusWord } from "../values";
import { HeadButtons } from "./head_buttons";
import { usePiece } from "../piece";

interface Props {
  id: string;
  summary: ReadonlySignal<Summary | undefined>;
  freshness: ComponentChildren;
}

export function SessionHeader({ id, summary, freshness }: Props) {
  const session = summary.value;
  const renaming = useSignal(false);
  const operator = usePiece(() => import("./operator"), isOperator());
  const title = session?.title ?? undefined;
  return (
    <header class="session-head">
      <a class="ghost back" href="#/" aria-label={t("Back to the board")}>
        <Icon name="back" />
      </a>
      <div class="session-title">
        {operator && renaming.value ? (
          <operator.Rename id={id} title={title ?? ""} done={() => (renaming.value = false)} />
        ) : (
          <h1 title={title}>{session ? nameOf(session) : id}</h1>
        )}
        {session ? <Facts session={session} /> : <p class="facts">{id}</p>}
      </div>
      <div class="session-state">
        {session && (
          <p class="session-status">
            <StatusWord status={session.status} />
            <span class="since">
              <Ago at={session.status_since} />
            </span>
            {session.current_tool && <code class="now-tool">{session.current_tool}</code>}
          </p>
        )}
        {freshness}
      </div>
      <div class="session-buttons">
        <HeadButtons id={id} />
        {operator && <operator.Actions id={id} summary={summary} rename={() => (renaming.value = true)} />}
      </div>
    </header>
  );
}

function Facts({ session }: { session: Summary }) {
  const who = [session.user, session.host].filter(Boolean).join("@");
  return (
    <p class="facts">
      <Fact name="project" words={t("project")}>{session.project}</Fact>
      <Fact name="folder" words={t("folder")} mono>
        {session.cwd}
      </Fact>
      <Fact name="branch" words={t("branch")} mono>
        {session.branch}
      </Fact>
      <Fact name="model" words={t("model")}>{session.model}</Fact>
      <Fact name="agent" words={t("agent")}>{session.agent}</Fact>
      <Fact name="who" words={t("who")}>{who}</Fact>
      <Fact name="phase" words={t("phase")}>{session.phase}</Fact>
      <Reference text={session.event_id} />
      <Fact name="elapsed" words={t("elapsed")}>
        <Elapsed from={session.started_at} to={session.ended_at} />
      </Fact>
    </p>
  );
}

interface FactProps {
  name: string;
  words: string;
  mono?: boolean;
  children: ComponentChildren;
}

function Fact({ name, words, mono, children }: FactProps) {
  if (!children) return null;
  const title = typeof children === "string" ? t("{name}: {value}", { name: words, value: children }) : words;
  return (
    <span class="fact" data-fact={name} title={title}>
      <span class="hidden">{words}: </span>
      <span class={mono ? "mono" : undefined}>{children}</span>
    </span>
  );
}

/** A scheduler's reference may be an address; only a web address becomes a link. */
function Reference({ text }: { text: string | null }) {
  const href = safeHref(text);
  if (!href) return <Fact name="reference" words={t("reference")}>{text}</Fact>;
  return (
    <span class="fact">
      <a href={href} rel="noreferrer noopener" target="_blank">
        {text}
      </a>
    </span>
  );
}
