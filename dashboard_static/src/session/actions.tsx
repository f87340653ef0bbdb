/** What an operator may do here. What is not possible now is not offered. */

import { useSignal, type ReadonlySignal, type Signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { nameOf } from "../format";
import { isOperator } from "../hub";
import { Icon } from "../icons";
import { t } from "../messages";
import type { Summary } from "../protocol";
import { notify } from "../words";
import { archive, end, type Failure } from "./acts";
import { BudgetDialog } from "./budget_dialog";
import { DeleteDialog } from "./delete_dialog";

const PANEL = "session-actions";
/** By which dialog. */
type Asked = "" | "budget" | "delete";

interface Props {
  id: string;
  summary: ReadonlySignal<Summary | undefined>;
  rename: () => void;
}

export function Actions({ id, summary, rename }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const dialog = useSignal<Asked>("");
  const session = summary.value;
  if (!isOperator() || !session) return null;
  const closed = () => {
    dialog.value = "";
    button.current?.focus();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        class="ghost head-button"
        popovertarget={PANEL}
        aria-label={t("Actions")}
        title={t("Actions")}
        data-testid="session-actions"
      >
        <Icon name="more" />
      </button>
      <div
        ref={panel}
        id={PANEL}
        class="menu session-menu"
        popover="auto"
        role="group"
        aria-label={t("Actions")}
        // Before it is shown, so that it is seen in one place only.
        onBeforeToggle={() => {
          panel.current!.style.top = `${button.current!.getBoundingClientRect().bottom + 4}px`;
        }}
      >
        {possible(session, rename, dialog).map((each) => (
          <Item key={each[0]} action={each} chosen={() => panel.current!.hidePopover()} />
        ))}
      </div>
      {dialog.value === "budget" && <BudgetDialog id={id} budget={session.budget_usd} closed={closed} />}
      {dialog.value === "delete" && <DeleteDialog id={id} title={nameOf(session)} closed={closed} />}
    </>
  );
}

function Item({ action: [name, words, then], chosen }: { action: Action; chosen: () => void }) {
  return (
    <button
      type="button"
      class="ghost"
      data-testid={`act-${name}`}
      onClick={() => {
        chosen();
        then();
      }}
    >
      {words}
    </button>
  );
}

type Action = [name: string, words: string, then: () => void];

function possible({ id, ...session }: Summary, rename: () => void, dialog: Signal<Asked>): Action[] {
  return [
    ["rename", t("Rename…"), rename],
    [
      "budget",
      session.budget_usd === null ? t("Set a budget…") : t("Change the budget…"),
      () => (dialog.value = "budget"),
    ],
    session.archived
      ? ["unarchive", t("Unarchive"), () => said(archive(id, false))]
      : ["archive", t("Archive"), () => said(archive(id, true))],
    session.status === "ended"
      ? ["delete", t("Delete…"), () => (dialog.value = "delete")]
      : ["end", t("End"), () => said(end(id))],
  ];
}

async function said(asked: Promise<Failure>): Promise<void> {
  const words = await asked;
  if (words) notify({ level: "error", code: "act", message: t("That was not done: {reason}", { reason: words }) });
}
