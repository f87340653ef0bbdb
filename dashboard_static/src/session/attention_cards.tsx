import { useComputed, useSignal } from "@preact/signals";
import { Ago } from "../ago";
import { attentionPath, get } from "../api";
import { unturned } from "../format";
import { Icon } from "../icons";
import { items } from "../live";
import type { Item } from "../protocol";

/** What this session waits for, with the whole request on demand. */
export function AttentionCards({ id }: { id: string }) {
  const open = useComputed(() => items.value.filter((item) => item.session === id)).value;
  if (open.length === 0) return null;
  return (
    <section class="cards" aria-label="Waiting for a person">
      {open.map((item) => (
        <Card key={item.id} item={item} />
      ))}
    </section>
  );
}

function Card({ item }: { item: Item }) {
  const request = useSignal<string | null>(null);
  const load = async () => {
    const { body, words } = await get<{ request?: unknown }>(attentionPath(item.id));
    request.value = body ? unturned(JSON.stringify(body.request ?? null, null, 2)) : words;
  };
  return (
    <article class="card" data-kind={item.kind} data-testid="attention-card">
      <p class="inbox-line">
        <span class="kind">
          <Icon name={item.kind} />
          {item.kind}
        </span>
        {item.tool && <span class="inbox-tool">{unturned(item.tool)}</span>}
        <span class="age">
          <Ago at={item.opened_at} />
        </span>
      </p>
      <pre class="card-summary">{unturned(item.summary)}</pre>
      {item.kind === "budget" ? null : request.value === null ? (
        <button type="button" class="ghost" onClick={load}>
          Show the full request
        </button>
      ) : (
        <pre class="card-request" tabIndex={0} aria-label="Full request">
          {request}
        </pre>
      )}
    </article>
  );
}
