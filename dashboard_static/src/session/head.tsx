import type { ReadonlySignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Ago, Elapsed } from "../ago";
import { safeHref } from "../format";
import { Icon } from "../icons";
import type { Summary } from "../protocol";
import { StatusWord } from "../values";

interface Props {
  id: string;
  summary: ReadonlySignal<Summary | undefined>;
  freshness: ComponentChildren;
}

export function SessionHeader({ id, summary, freshness }: Props) {
  const session = summary.value;
  return (
    <header class="session-head">
      <a class="ghost back" href="#/" aria-label="Back to the board">
        <Icon name="back" />
      </a>
      <div class="session-title">
        <h1 title={session?.title ?? undefined}>{session?.title ?? session?.project ?? id}</h1>
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
    </header>
  );
}

function Facts({ session }: { session: Summary }) {
  const who = [session.user, session.host].filter(Boolean).join("@");
  return (
    <p class="facts">
      <Fact name="project">{session.project}</Fact>
      <Fact name="folder" mono>
        {session.cwd}
      </Fact>
      <Fact name="branch" mono>
        {session.branch}
      </Fact>
      <Fact name="model">{session.model}</Fact>
      <Fact name="agent">{session.agent}</Fact>
      <Fact name="who">{who}</Fact>
      <Fact name="phase">{session.phase}</Fact>
      <Reference text={session.event_id} />
      <Fact name="elapsed">
        <Elapsed from={session.started_at} to={session.ended_at} />
      </Fact>
    </p>
  );
}

function Fact({ name, mono, children }: { name: string; mono?: boolean; children: ComponentChildren }) {
  if (!children) return null;
  return (
    <span class="fact" data-fact={name} title={typeof children === "string" ? `${name}: ${children}` : name}>
      <span class="hidden">{name}: </span>
      <span class={mono ? "mono" : undefined}>{children}</span>
    </span>
  );
}

/** A scheduler's reference may be an address; only a web address becomes a link. */
function Reference({ text }: { text: string | null }) {
  const href = safeHref(text);
  if (!href) return <Fact name="reference">{text}</Fact>;
  return (
    <span class="fact">
      <a href={href} rel="noreferrer noopener" target="_blank">
        {text}
      </a>
    </span>
  );
}
