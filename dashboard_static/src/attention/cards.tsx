/** What the session on screen waits for, at its top: the same as in the inbox, read without a click. */

import { useComputed } from "@preact/signals";
import { items } from "../live";
import { t } from "../messages";
import { Asked } from "./asked";
import { KindLine } from "./kind";

export function AttentionCards({ id }: { id: string }) {
  const open = useComputed(() => items.value.filter((item) => item.session === id)).value;
  if (open.length === 0) return null;
  return (
    <section class="cards" aria-label={t("Waiting for a person")}>
      {open.map((item) => (
        <article key={item.id} class="card" data-kind={item.kind} data-testid="attention-card">
          <KindLine item={item} />
          <Asked item={item} />
        </article>
      ))}
    </section>
  );
}
