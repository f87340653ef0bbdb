/** What every item says first: its kind, its tool and since when. */

import { Ago } from "../ago";
import { unturned } from "../format";
import { Icon } from "../icons";
import { t } from "../messages";
import type { AttentionKind, Item } from "../protocol";

export function kindWord(kind: AttentionKind): string {
  return (
    {
      permission: t("permission"),
      question: t("question"),
      plan: t("plan"),
      failure: t("failure"),
      budget: t("budget"),
    }[kind] ?? kind
  );
}

export function KindLine({ item }: { item: Item }) {
  return (
    <span class="inbox-line">
      <span class="kind">
        <Icon name={item.kind} />
        {kindWord(item.kind)}
      </span>
      {item.tool && <span class="inbox-tool">{unturned(item.tool)}</span>}
      <span class="age">
        <Ago at={item.opened_at} />
      </span>
    </span>
  );
}
