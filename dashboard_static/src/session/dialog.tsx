/** Open for as long as it is drawn. Escape and a click beside it close it. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../messages";

interface Props {
  title: string;
  testid: string;
  closed: () => void;
  children: ComponentChildren;
}

export function Dialog({ title, testid, closed, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current!.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="sheet session-dialog"
      aria-label={title}
      data-testid={testid}
      onClose={closed}
      onClick={(event) => event.target === event.currentTarget && closed()}
    >
      <h2>{title}</h2>
      {children}
    </dialog>
  );
}

interface ButtonsProps {
  closed: () => void;
  failure: string;
  children: ComponentChildren;
}

export function DialogButtons({ closed, failure, children }: ButtonsProps) {
  return (
    <>
      {failure && (
        <p class="dialog-failure" role="alert">
          {t("That was not done: {reason}", { reason: failure })}
        </p>
      )}
      <p class="dialog-buttons">
        <button type="button" class="ghost" onClick={closed}>
          {t("Cancel")}
        </button>
        {children}
      </p>
    </>
  );
}
