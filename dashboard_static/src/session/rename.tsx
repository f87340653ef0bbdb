/** Nothing typed gives the session back the title that its agent gave it. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../messages";
import { change } from "./acts";

export function Rename({ id, title, done }: { id: string; title: string; done: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  const failure = useSignal("");
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    field.current!.select();
    // The field goes and the focus must not go with it.
    return () => before?.focus();
  }, []);
  const save = async () => {
    failure.value = await change(id, { title: field.current!.value.trim() || null });
    if (!failure.peek()) done();
  };
  return (
    <form
      class="rename"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        done();
      }}
    >
      <input
        ref={field}
        defaultValue={title}
        maxLength={200}
        aria-label={t("Title")}
        placeholder={t("The agent's own title")}
        data-testid="title-field"
      />
      <button type="submit" class="primary">
        {t("Save")}
      </button>
      <button type="button" class="ghost" onClick={done}>
        {t("Cancel")}
      </button>
      {failure.value && (
        <span class="dialog-failure" role="alert">
          {t("That was not done: {reason}", { reason: failure.value })}
        </span>
      )}
    </form>
  );
}
