import { useComputed } from "@preact/signals";
import { Ago } from "../ago";
import { unturned } from "../format";
import { Icon } from "../icons";
import { items, row } from "../live";
import type { Item } from "../protocol";
import { sessionHref } from "../router";
import { Joined } from "../values";

const SHOWN_MAX = 200;

export function AttentionList() {
  const open = items.value;
  return (
    <section class="panel inbox" aria-label="Needs you" data-some={open.length > 0}>
      <header class="panel-head">
        <h2>Needs you</h2>
        <span class="count">{open.length || ""}</span>
      </header>
      {open.length === 0 ? (
        <p class="empty small">Nothing is waiting for a person.</p>
      ) : (
        <ol class="inbox-list" tabIndex={0} aria-label="Open items, oldest first">
          {open.slice(0, SHOWN_MAX).map((item) => (
            <AttentionRow key={item.id} item={item} />
          ))}
          {open.length > SHOWN_MAX && <li class="empty small">and {open.length - SHOWN_MAX} more</li>}
        </ol>
      )}
    </section>
  );
}

function AttentionRow({ item }: { item: Item }) {
  const session = row(item.session);
  const project = useComputed(() => session.value?.project).value;
  const title = useComputed(() => session.value?.title).value;
  const unknown = useComputed(() => !session.value).value;
  return (
    <li>
      <a
        class="inbox-item"
        href={sessionHref(item.session)}
        data-testid="attention-item"
        data-kind={item.kind}
        data-session={item.session}
      >
        <span class="inbox-line">
          <span class="kind">
            <Icon name={item.kind} />
            {item.kind}
          </span>
          {item.tool && <span class="inbox-tool">{unturned(item.tool)}</span>}
          <span class="age">
            <Ago at={item.opened_at} />
          </span>
        </span>
        <span class="inbox-summary">{unturned(item.summary)}</span>
        <span class="place">
          <Joined parts={unknown ? [item.session.slice(0, 8)] : [project, title]} />
        </span>
      </a>
    </li>
  );
}
